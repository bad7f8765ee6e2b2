"""A report's chapters on what happened: alerts, changes of what runs, training."""

from collections import Counter
from datetime import datetime, timedelta

from django.db.models import Q, QuerySet

from mlplatform.pictures import Bar, Figure, bars
from monitoring.models import Alert, RetrainingDecision
from monitoring.models.alert import GRAVITY, Severity
from monitoring.reporting.document import Block, Chapter, table
from monitoring.services.report_scope import Asked, counted, share
from registry.cards.document import Sentence
from registry.models import Deployment, ModelVersion, PromotionRequest, Rollout
from registry.models.deployment import DeploymentAction
from registry.services.champions import champion_changes
from training.models import TrainingJob

MOST = 25
ALERTS = ("9(2)", "20", "26(5)", "72", "73")
CHANGES, TRAINING = ("11", "12", "17(1)", "20"), ("12", "15", "17(1)")
HEAVY = ("reference", "evaluation", "features", "importance", "cv_metrics")
INCIDENT = (
    "Whether any of this is a serious incident (Article 3(49)), and whom to tell of it by when (Article 73), "
    "is for people to judge."
)


def raised(asked: Asked) -> "QuerySet[Alert]":
    """Return the alerts raised in the days, the newest first."""
    return asked.of(Alert.objects.all()).order_by("-created_at", "-pk")


def standing(asked: Asked) -> "QuerySet[Alert]":
    """Return the alerts that were unresolved as the days ended."""
    end = asked.period.until
    rows = Alert.objects.filter(created_at__lt=end).filter(Q(resolved_at=None) | Q(resolved_at__gte=end))
    return rows if asked.model is None else rows.filter(model=asked.model)


def alerts_sentence(asked: Asked) -> str:
    """Return in half a sentence how many alerts there were."""
    counts = Counter(raised(asked).values_list("severity", flat=True))
    critical = counts[Severity.CRITICAL]
    graver = f" ({critical:,} critical)" if critical else ""
    were = "was" if sum(counts.values()) == 1 else "were"
    return (
        f"{counted(sum(counts.values()), 'alert')} {were} raised{graver}, and "
        f"{counted(standing(asked).count(), 'alert')} stood unresolved as it ended"
    )


def alerts_chapter(asked: Asked) -> Chapter:
    """Return the alerts of the days, how they stood at their end, and who had looked at them."""
    found = raised(asked).select_related("model")
    counts = Counter(found.values_list("severity", flat=True))
    told = Sentence(f"{alerts_sentence(asked)[0].upper()}{alerts_sentence(asked)[1:]}.")
    blocks: list[Block] = [told]
    if counts:
        title = "Alerts by severity"
        drawn = [Bar(Severity(one).label, counts[one], words=f"{counts[one]:,}") for one in reversed(GRAVITY)]
        blocks.append(Figure(title, bars(drawn, axis="alerts raised", title=title), told.text))
    rows = [_alert(asked, one) for one in found[:MOST]]
    if rows:
        columns = ["Raised", "Severity", "What", "State as it ended", "Acknowledged", "Resolved"]
        blocks.append(table(columns, rows, title="Raised in this period", most=MOST, total=found.count()))
    older = standing(asked).filter(created_at__lt=asked.period.since).order_by("created_at", "pk")
    if before := older.count():
        names = "; ".join(one.title for one in older[:5])
        more = f"; and {before - 5:,} more" if before > 5 else ""
        blocks.append(Sentence(f"{counted(before, 'alert')} from before still stood: {names}{more}."))
    return Chapter("Alerts", [*blocks, Sentence(INCIDENT)], ALERTS)


def _alert(asked: Asked, alert: Alert) -> list[str]:
    end = asked.period.until
    resolved = alert.resolved_at is not None and alert.resolved_at < end
    seen = alert.acknowledged_at is not None and alert.acknowledged_at < end
    state = "resolved" if resolved else "acknowledged" if seen else "open"
    return [
        asked.days.moment(alert.created_at),
        alert.get_severity_display(),
        alert.title,
        state,
        _who(asked, alert.acknowledged_by, alert.acknowledged_at) if seen else "–",
        _who(asked, alert.resolved_by or "platform", alert.resolved_at) if resolved else "–",
    ]


def _who(asked: Asked, name: str, at: datetime | None) -> str:
    return f"{name}, {asked.days.moment(at)}" if at else name


def deployed(asked: Asked) -> "QuerySet[Deployment]":
    """Return the changes of what runs in the days, the newest first."""
    return asked.of(Deployment.objects.all()).order_by("-created_at", "-pk")


def deployments_chapter(asked: Asked) -> Chapter:
    """Return each change of what runs: who, when, why, by which gates; proposals and rollouts."""
    rows = deployed(asked)
    parts = [
        *_changes(asked, rows),
        *(_champions(asked) if asked.model else []),
        *_proposals(asked),
        *_rollouts(asked),
    ]
    return Chapter("Deployments", parts, CHANGES)


def _changes(asked: Asked, found: "QuerySet[Deployment]") -> list[Block]:
    heavy = [*_heavy("version"), *_heavy("previous")]
    rows = [
        [
            asked.days.moment(one.created_at),
            one.get_action_display(),
            f"{one.version} as {one.alias}" + (f", before v{one.previous.number}" if one.previous else ""),
            one.actor,
            one.reason or "–",
            _gates(one),
        ]
        for one in found.select_related("version__model", "previous").defer(*heavy)[:MOST]
    ]
    if not rows:
        return [Sentence("What runs was not changed in this period.")]
    columns = ["When", "What", "Version", "By", "Why", "Gates"]
    return [table(columns, rows, title="Changes of what runs", most=MOST, total=found.count())]


def _heavy(of: str) -> list[str]:
    return [f"{of}__{name}" for name in HEAVY]


def _gates(one: Deployment) -> str:
    failed = [gate["title"] for gate in one.gates if not gate["passed"]]
    if failed:
        return f"{'passed over' if one.overridden else 'failed'}: {', '.join(failed)}"
    return f"{len(one.gates)} passed" if one.gates else "–"


def _champions(asked: Asked) -> list[Block]:
    """Draw which version answered for which part of the days."""
    period, model = asked.period, asked.model
    if model is None:
        return []
    changes = champion_changes(model).filter(created_at__lt=period.until).order_by("created_at", "pk")
    steps = list(changes.values_list("created_at", "version__number", "action"))
    reigned: Counter[int] = Counter()
    ends_of = [*(begins for begins, _, _ in steps[1:]), period.until]
    for (begins, number, action), ends in zip(steps, ends_of, strict=False):  # none, where there are no steps
        length = min(ends, period.until) - max(begins, period.since)
        if length > timedelta(0) and action != DeploymentAction.UNALIAS:
            reigned[number] += round(length.total_seconds())
    whole = (period.until - period.since).total_seconds()
    if not reigned:
        return [Sentence("There was no champion in this period.", missing=True)]
    drawn = [
        Bar(f"v{number}", seconds / whole, words=share(seconds / whole))
        for number, seconds in reigned.most_common(12)
    ]
    title = "Which version was champion"
    words = "For which part of the period each version was the one that answers."
    return [Figure(title, bars(drawn, axis="of the period", title=title, percent=True), words)]


def _proposals(asked: Asked) -> list[Block]:
    begun, decided = (
        asked.of(PromotionRequest.objects.all()),
        asked.of(PromotionRequest.objects.all(), "decided_at"),
    )
    found = (begun | decided).distinct().order_by("-created_at", "-pk")
    rows = [
        [
            asked.days.moment(one.created_at),
            str(one.version),
            one.requested_by,
            one.get_state_display() if asked.days.contains(one.decided_at) else "Waited as the period ended",
            one.decided_by or "–" if asked.days.contains(one.decided_at) else "–",
            one.decision or "–" if asked.days.contains(one.decided_at) else "–",
        ]
        for one in found.select_related("version__model").defer(*_heavy("version"))[:MOST]
    ]
    if not rows:
        return []
    columns = ["Proposed", "Version", "By", "State", "Decided by", "Why"]
    return [table(columns, rows, title="Proposals to change the champion", most=MOST, total=found.count())]


def _rollouts(asked: Asked) -> list[Block]:
    begun, ended = asked.of(Rollout.objects.all()), asked.of(Rollout.objects.all(), "ended_at")
    found = (begun | ended).distinct().order_by("-created_at", "-pk")
    rows = [
        [
            asked.days.moment(one.created_at),
            str(one),
            one.started_by,
            (one.outcome or one.get_state_display()) if asked.days.contains(one.ended_at) else "Still ran",
            one.ended_by or "–" if asked.days.contains(one.ended_at) else "–",
        ]
        for one in found.select_related("challenger__model").defer(
            *(f"challenger__{name}" for name in HEAVY)
        )[:MOST]
    ]
    if not rows:
        return []
    columns = ["Started", "Rollout", "By", "What came of it", "Ended by"]
    return [table(columns, rows, title="Rollouts", most=MOST, total=found.count())]


def trained(asked: Asked) -> "QuerySet[TrainingJob]":
    """Return the training jobs made in the days, the newest first; none that rebuilt an old version."""
    return asked.of(TrainingJob.objects.filter(reproduces=None)).order_by("-created_at", "-pk")


def training_chapter(asked: Asked) -> Chapter:
    """Return what was trained by whose wish, and what policies decided."""
    found, end = trained(asked), asked.period.until
    jobs = found.select_related("model", "version", "dataset").defer(*_heavy("version"))
    rows = [
        [
            asked.days.moment(one.created_at),
            str(one),
            f"{one.get_trigger_display()}: {one.created_by}",
            one.dataset.name,
            one.get_state_display() if one.finished_at and one.finished_at < end else "Had not ended",
            _version(one.version if one.finished_at and one.finished_at < end else None),
        ]
        for one in jobs[:MOST]
    ]
    blocks: list[Block] = [Sentence("Nothing was trained in this period.")]
    if rows:
        columns = ["When", "Job", "Called for by", "Data", "State", "Version"]
        blocks = [table(columns, rows, title="Training jobs", most=MOST, total=found.count())]
    return Chapter("Retraining", [*blocks, *_decisions(asked)], TRAINING)


def _version(version: ModelVersion | None) -> str:
    return f"v{version.number}" if version else "–"


def _decisions(asked: Asked) -> list[Block]:
    found = asked.of(RetrainingDecision.objects.all()).order_by("-created_at", "-pk")
    rows = [
        [
            asked.days.moment(one.created_at),
            one.model.name,
            one.get_rule_display() or "–",
            one.get_state_display(),
            one.reason,
            one.outcome or "–",
        ]
        for one in found.select_related("model")[:MOST]
    ]
    if not rows:
        return [Sentence("No policy decided anything in this period.")]
    columns = ["When", "Model", "Rule", "What came of it", "Reason", "Outcome"]
    note = "Each has a page that shows the chain from alert to deployment."
    return [table(columns, rows, title="Decisions of policies", most=MOST, total=found.count(), note=note)]
