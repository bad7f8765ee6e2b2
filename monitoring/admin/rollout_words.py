"""How rollouts are shown: in words, in a picture, on the model's page and among the notices."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.db.models import Count
from django.utils import timezone

from mlplatform.admin.extensions import attention, model_sections
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Link, Notice, Section, Table, Tone
from mlplatform.admin.pictures import plots
from mlplatform.admin.render import ago
from mlplatform.pictures import Axis, Figure, Line, plot
from monitoring.services.rollout_words import error_name, error_text
from registry.models import Prediction, RegisteredModel, Rollout
from registry.models.rollout import RolloutKind, RolloutState, WhenGood
from registry.services.rollouts import rollouts_overview

TONES: dict[str, Tone] = {
    RolloutState.RUNNING: "info",
    RolloutState.PAUSED: "warn",
    RolloutState.PROMOTED: "good",
    RolloutState.KEPT: "good",
    RolloutState.ROLLED_BACK: "bad",
}
BY_ITSELF = (RolloutState.PROMOTED, RolloutState.KEPT, RolloutState.ROLLED_BACK, RolloutState.UNDECIDED)
NEWS = timedelta(days=2)
SETTLED = 6  # the part of the path after which bounds are narrow enough to be drawn to scale


def state_badge(rollout: Rollout) -> Badge:
    """Return where it stands."""
    return Badge(RolloutState(rollout.state).label, TONES.get(rollout.state, "muted"))


def share_text(rollout: Rollout) -> str:
    """Return the share of the cases that the challenger has now."""
    running = rollout.state == RolloutState.RUNNING
    return f"{100 * rollout.route.share(timezone.now()):g} %" if running else "0 %"


def rollout_facts(rollout: Rollout) -> Facts:
    """Return who answers what, and what is known of it."""
    now = timezone.now()
    coming = [
        f"{100 * one.share:g} % from {one.at:%Y-%m-%d %H:%M} UTC"
        for one in rollout.route.steps
        if one.at > now
    ]
    told = rollout.verdict.get(
        "sentence", "Nothing was weighed yet. That begins with the first outcome that comes back."
    )
    rows: list[tuple[str, Any]] = [
        ("State", state_badge(rollout)),
        ("What the outcomes say", told),
        ("What came of it", "" if rollout.outcome == told else rollout.outcome),
        ("Model", rollout.model),
        ("Champion", rollout.champion),
        ("Challenger", rollout.challenger),
        ("The challenger has now", f"{share_text(rollout)} of the cases"),
        ("Next", ", ".join(coming) if rollout.is_active else ""),
        ("Once it is good", WhenGood(rollout.when_good).label),
        ("Started", rollout.created_at),
        ("By", rollout.started_by),
        ("Why", rollout.reason),
        ("Weighed", rollout.weighed_at),
        ("Ended" if rollout.ended_at else "Ends at the latest", rollout.ended_at or rollout.ends_at),
        ("Ended by", rollout.ended_by),
        ("The change", rollout.deployment),
    ]
    return Facts(str(rollout), [row for row in rows if row[1] not in ("", None)], wide=True)


def bounds_picture(rollout: Rollout) -> Section:
    """Return the bounds on the difference as they grew with the cases."""
    path = rollout.verdict.get("path") or []
    title = "Is the challenger better?"
    if not path:
        hint = "Once outcomes of its cases come back, a picture here shows how sure one may be."
        return Table(title, [], [], empty=hint)
    cases, difference, low, high = (list(part) for part in zip(*path, strict=True))
    numeric = rollout.model.problem.outcome == "value"
    settled = len(path) // SETTLED
    ends = min([0.0, *low[settled:]]), max([0.0, rollout.margin, *high[settled:]])
    across = [0.0, cases[-1]]
    lines = [
        Line("difference, and where it can lie", cases, difference, low=low, high=high),
        Line("no difference", across, [0.0, 0.0], "guide"),
        *([Line("may be worse by", across, [rollout.margin] * 2, "guide")] if rollout.margin else []),
    ]
    picture = plot(
        lines,
        x=Axis("cases with an outcome", low=0.0),
        y=Axis(
            f"{error_name(rollout)}, challenger − champion", low=ends[0], high=ends[1], percent=not numeric
        ),
        title=f"{rollout}: the difference over {cases[-1]:,} cases",
        description=rollout.verdict["sentence"],
    )
    words = (
        f"Below 0 the challenger is better. The band holds the true difference at all times together with "
        f"{1 - rollout.alpha:.0%} certainty: once it lies below the dashed line the challenger is good, once "
        "it lies above 0 it is worse. It may be looked at as often as one likes."
    )
    return plots(title, [Figure("", picture, words)])


def cases_table(rollout: Rollout) -> Table:
    """Return how many rows and cases each version has, and its errors."""
    answered = dict(
        Prediction.objects.filter(rollout=rollout)
        .values_list("version")
        .annotate(rows=Count("pk"))
        .order_by()
    )
    sides = (("challenger", rollout.challenger), ("champion", rollout.champion))
    rows: list[list[Any]] = []
    for name, version in sides:
        known = rollout.verdict.get(name) or {"cases": 0, "error": None}
        error = error_text(rollout, known["error"])
        rows.append([name, version, answered.get(version.pk, 0), known["cases"], error])
    note = "A case counts once, by the first of its answers whose outcome came back."
    columns = ["", "Version", "Rows answered", "Cases with an outcome", error_name(rollout).capitalize()]
    return Table("Its cases", columns, rows, note=note)


def judging_facts(rollout: Rollout) -> Facts:
    """Return by what it is judged."""
    canary = rollout.kind == RolloutKind.CANARY
    critical = rollout.critical_error
    numeric = rollout.model.problem.outcome == "value"
    return Facts(
        "How it is judged",
        [
            ("May be worse by", error_text(rollout, rollout.margin)),
            ("Cases of either with an outcome", f"{rollout.minimum:,}, before it is found good"),
            ("Bad news counts", "at once" if canary else "after as many cases"),
            ("Wrong verdicts accepted", f"{rollout.alpha:.1%}, however often one looks"),
            *([("Errors beyond count as", f"{rollout.largest_error:.4g}")] if numeric else []),
            ("Stops at a single error of", "none" if critical is None else f"{critical:.4g}"),
        ],
    )


@model_sections.at(12)
def rollouts_section(model: RegisteredModel) -> Section | None:
    """Return the model's newest rollouts, once it has one."""
    rows = rollouts_overview().filter(model=model)[:5]
    shown = [
        [Link(str(one), page_url(one)), state_badge(one), share_text(one), short_words(one)] for one in rows
    ]
    if not shown:
        return None
    return Table("Rollouts", ["Rollout", "State", "Share now", "What the outcomes say"], shown)


@attention.at(15)
def rollout_notices() -> Iterable[Notice]:
    """Yield the rollouts that ended by themselves a short while ago."""
    news = rollouts_overview().filter(state__in=BY_ITSELF, ended_at__gte=timezone.now() - NEWS)
    for rollout in news[:10]:
        title = f"{rollout}: {rollout.get_state_display().lower()}"
        detail = f"{rollout.model}, {ago(rollout.ended_at or rollout.created_at)}"
        yield Notice(TONES.get(rollout.state, "warn"), title, detail, page_url(rollout))


def short_words(rollout: Rollout) -> str:
    """Return the first sentence of what came of it, or of what the outcomes say."""
    told: str = rollout.outcome or rollout.verdict.get("sentence", "Nothing was weighed yet.")
    first, dot, _ = told.partition(". ")
    return first + dot.strip()
