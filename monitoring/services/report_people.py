"""A report's chapters on who oversaw, what was changed, and which records are kept."""

from collections import Counter, defaultdict

from django.db.models import Q, QuerySet, Sum

from mlplatform.tenancy.actors import ActorKind
from mlplatform.tenancy.models import AuditEvent
from monitoring.models import (
    Alert,
    AlertRule,
    DriftSettings,
    RetrainingDecision,
    RetrainingPolicy,
    Rollup,
)
from monitoring.reporting.document import Block, Chapter, table
from monitoring.services.report_events import deployed, raised, trained
from monitoring.services.report_scope import Asked, counted
from registry.cards.document import Facts, Sentence
from registry.models import ModelVersion, PromotionRequest, RegisteredModel, Rollout
from training.models import RetrainingSchedule

OVERSIGHT, RECORDS = ("14", "17(1)", "26(2)"), ("12", "18", "19", "26(6)")
# Tables whose entries tell how a model is governed; jobs, alerts and decisions have chapters of their own.
GOVERNING = (
    ModelVersion,
    PromotionRequest,
    Rollout,
    AlertRule,
    DriftSettings,
    RetrainingPolicy,
    RetrainingSchedule,
)
NOT_GOVERNING = ("read", "exported", "report.", "outcomes.")  # parts of actions
MOST_PEOPLE, MOST_ENTRIES, MOST_FIELDS = 25, 40, 6
CLOSED = "{} of the audit trail in this period concern how it is governed; administrators read them."


def oversight_sentence(asked: Asked) -> str:
    """Return the verdict on who changed what in one sentence."""
    changes, jobs = deployed(asked), trained(asked).count()
    by_people = changes.filter(actor_kind=ActorKind.USER).count()
    over = changes.filter(overridden=True).count()
    total = changes.count()
    told = f"What runs was changed {_times(total)}"
    if total:
        told += f", {_times(by_people)} by a person" if by_people != total else ", each time by a person"
    passed = f"; {_times(over)} an approver passed over a failed gate" if over else ""
    return f"{told}{passed}; {counted(jobs, 'training job')} {'was' if jobs == 1 else 'were'} started."


def _times(count: int) -> str:
    return {0: "not at all", 1: "once", 2: "twice"}.get(count, f"{count:,} times")


def oversight_chapter(asked: Asked) -> Chapter:
    """Return which people acted, and what the platform did by itself."""
    acts = _acts(asked)
    blocks: list[Block] = []
    if acts:
        rows = [
            [
                name,
                ", ".join(f"{what} {count:,}" for what, count in sorted(done.items())),
                f"{sum(done.values()):,}",
            ]
            for name, done in sorted(acts.items(), key=lambda one: (-sum(one[1].values()), one[0]))
        ]
        title = "Who acted"
        blocks.append(table(["Who", "What", "Acts"], rows, title=title, most=MOST_PEOPLE))
    else:
        blocks.append(
            Sentence("Nobody changed, decided or acknowledged anything in this period.", missing=True)
        )
    automatic = asked.of(RetrainingDecision.objects.all()).count()
    words = "Policies took {} by themselves, within the limits that people had set; each is told above."
    blocks.append(Sentence(words.format(counted(automatic, "decision"))))
    blocks += _governance(asked)
    return Chapter("Human oversight", blocks, OVERSIGHT)


def _told(done: Counter[str]) -> str:
    return ", ".join(f"{what} {count:,}" for what, count in sorted(done.items()))


def _acts(asked: Asked) -> dict[str, Counter[str]]:
    acts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in deployed(asked).only("actor_kind", "actor_label", "action"):
        acts[one.actor][one.get_action_display().lower()] += 1
    for request in asked.of(PromotionRequest.objects.all()).only("actor_kind", "actor_label"):
        acts[request.requested_by]["proposed"] += 1
    decided = asked.of(PromotionRequest.objects.exclude(decided_by=""), "decided_at")
    for name in decided.values_list("decided_by", flat=True):
        acts[name]["decided on a proposal"] += 1
    for column, what in (("acknowledged", "acknowledged an alert"), ("resolved", "resolved an alert")):
        seen = asked.of(Alert.objects.exclude(**{f"{column}_by": ""}), f"{column}_at")
        for name in seen.values_list(f"{column}_by", flat=True):
            acts[name][what] += 1
    return acts


def _governance(asked: Asked) -> list[Block]:
    found = governing_entries(asked)
    if not asked.trail:
        return [Sentence(CLOSED.format(counted(found.count(), "entry", "entries").capitalize()))]
    rows = [
        [
            asked.days.moment(one.at),
            one.actor,
            one.action,
            one.object_label,
            _fields(one),
        ]
        for one in found[:MOST_ENTRIES]
    ]
    if not rows:
        return [Sentence("Nothing about how it is governed was changed in this period.")]
    columns = ["When", "Who", "What", "Object", "Fields"]
    note = "From the audit trail, which holds each value before and after."
    return [table(columns, rows, title="What was changed", most=MOST_ENTRIES, total=found.count(), note=note)]


def _fields(event: AuditEvent) -> str:
    """Return which fields changed; of what is new or gone it is all of them."""
    if event.before is None or event.after is None:
        return "all: it is new" if event.after else "all: it is gone" if event.before else "–"
    names = sorted({*event.before, *event.after})
    changed = [name for name in names if event.before.get(name) != event.after.get(name)]
    more = len(changed) - MOST_FIELDS
    return (", ".join(changed[:MOST_FIELDS]) or "–") + (f" and {more} more" if more > 0 else "")


def governing_entries(asked: Asked) -> "QuerySet[AuditEvent]":
    """Return the trail's entries of the days on how the model (or the tenant) is governed, newest first."""
    period = asked.period
    found = AuditEvent.objects.filter(at__gte=period.since, at__lt=period.until)
    for part in NOT_GOVERNING:
        found = found.exclude(action__contains=part)
    if asked.model is not None:
        here = _about(RegisteredModel, [str(asked.model.pk)])
        for table_of in GOVERNING:
            keys = table_of.objects.filter(model=asked.model).values_list("pk", flat=True)
            here |= _about(table_of, list(map(str, keys)))
        found = found.filter(here)
    return found.order_by("-sequence")


def _about(table_of: type, keys: list[str]) -> Q:
    kind = table_of._meta.label_lower  # type: ignore[attr-defined]  # a table
    here = Q(object_id__in=keys, moved_to="") | Q(moved_to__in=keys)
    return Q(object_type=kind) & here


def records_chapter(asked: Asked) -> Chapter:
    """Return how much was recorded automatically, and what is missing."""
    rows = Rollup.objects.filter(
        begins__gte=asked.period.since, begins__lt=asked.period.until, slice_column=""
    )
    rows = rows if asked.model is None else rows.filter(model=asked.model)
    sums = rows.order_by().aggregate(answers=Sum("predictions"), outcomes=Sum("labelled"))
    facts = [
        ("Answers logged and counted", f"{sums['answers'] or 0:,}"),
        ("Of these with a known outcome", f"{sums['outcomes'] or 0:,}"),
        ("Alerts", f"{raised(asked).count():,}"),
        ("Changes of what runs", f"{deployed(asked).count():,}"),
        ("Training jobs", f"{trained(asked).count():,}"),
        ("Entries of the audit trail", _entries(asked)),
    ]
    told = (
        "Answers are logged as they are given and counted by the hour; the counts stay when the log itself "
        "is removed. Each change is an entry of an audit trail whose entries are chained by hashes."
    )
    return Chapter("Records and logs", [Sentence(told), Facts(facts)], RECORDS)


def _entries(asked: Asked) -> str:
    if asked.model is not None:
        return f"{governing_entries(asked).count():,} on how the model is governed"
    period = asked.period
    # Each making of a report is an entry, which must not change the report itself.
    found = AuditEvent.objects.filter(at__gte=period.since, at__lt=period.until).exclude(
        action__startswith="report."
    )
    ends = found.order_by("sequence").first(), found.order_by("sequence").last()
    if ends[0] is None or ends[1] is None:
        return "none"
    seal = f"; the last one's seal is {ends[1].hash}"
    return f"{found.count():,}, numbers {ends[0].sequence:,} to {ends[1].sequence:,}{seal}"
