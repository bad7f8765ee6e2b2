"""What makes a sender's labels of a day suspicious: a table of questions, asked in their order."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from django.db.models import Sum
from django.utils import timezone

from feedback.models import FeedbackSettings, LabelTally, Outcome, Quarantine
from feedback.models.outcome import STANDS
from feedback.models.quarantine import QuarantineState, Suspicion
from feedback.statistics.suspicion import (
    chance_of_disagreement,
    changed_balance,
    counted_on,
    level_of,
    look_at,
)
from registry.models import RegisteredModel
from registry.tabular.histograms import numeric_edges

SAMPLE = 20_000  # labels that are read for a look, now and before
USUAL = timedelta(days=30)  # before today, in which a sender's usual share is looked for


class Counts(NamedTuple):
    """A tally's counts."""

    labels: int
    imported: int
    compared: int
    disagreed: int


class Looked(NamedTuple):
    """Whose labels are looked at, with the counts before the report and with it."""

    model: RegisteredModel
    tally: LabelTally
    before: Counts
    after: Counts


class Found(NamedTuple):
    """Why the labels are suspicious, in a sentence and in numbers."""

    suspicion: Suspicion
    reason: str
    numbers: dict[str, Any]


Question = Callable[[Looked, FeedbackSettings], Found | None]


def suspect(looked: Looked, settings: FeedbackSettings) -> Found | None:
    """Return the first suspicion that there is, None where there is none.

    One that was released a short while ago for the same sender is not raised again.
    """
    for ask, rest in QUESTIONS:
        found = ask(looked, settings)
        if found is not None and not _rests(looked, found.suspicion, rest):
            return found
    return None


def _disagreement(looked: Looked, settings: FeedbackSettings) -> Found | None:
    look = look_at(looked.before.compared, looked.after.compared, settings.least_compared)
    if look is None:
        return None
    _, _, compared, disagreed = looked.after
    level, allowed = level_of(look, settings.false_alarm_rate), settings.most_disagreement
    chance = chance_of_disagreement(disagreed, compared, allowed)
    if chance > level:
        return None
    reason = (
        f"{disagreed:,} of {compared:,} labels ({disagreed / compared:.0%}) differ from trusted ones; "
        f"{allowed:.0%} may."
    )
    numbers = {"disagreed": disagreed, "compared": compared, "allowed": allowed}
    return Found(Suspicion.DISAGREEMENT, reason, {**numbers, "p_value": chance, "level": level})


def _balance(looked: Looked, settings: FeedbackSettings) -> Found | None:
    look = look_at(_given(looked.before), _given(looked.after), settings.least_labels)
    if look is None or looked.model.problem.outcome is None:
        return None
    now, earlier, own = _labels(looked, settings.least_labels)
    if min(len(now), len(earlier)) < settings.least_labels:
        return None
    names, edges = _bins(now, earlier, looked.model.problem.outcome)
    bins = names if edges is None else edges
    level = level_of(look, settings.false_alarm_rate)
    counts = counted_on(now, bins), counted_on(earlier, bins)
    found = changed_balance(*counts, level=level, least_change=settings.least_change)
    if found is None:
        return None
    whose = "its own" if own else "others'"
    reason = (
        f"{found.share:.0%} of {len(now):,} labels are {names[found.bin]}; of {whose} {len(earlier):,} "
        f"labels before it was {found.before:.0%}."
    )
    numbers = {"label": names[found.bin], "share": found.share, "before": found.before, "labels": len(now)}
    told = {**numbers, "earlier": len(earlier), "own": own, "p_value": found.p_value, "level": level}
    return Found(Suspicion.BALANCE, reason, told)


def _share(looked: Looked, settings: FeedbackSettings) -> Found | None:
    before, after = looked.before.labels, looked.after.labels
    if look_at(before, after, settings.least_labels) is None:
        return None
    tallies, day = LabelTally.objects.filter(model=looked.model), looked.tally.day
    _, total = _share_of(tallies.filter(day=day), looked.tally.sender)
    share = after / total
    if share <= settings.most_share:
        return None
    earlier = tallies.filter(day__lt=day, day__gte=day - USUAL)
    mine, all_before = _share_of(earlier, looked.tally.sender)
    if all_before - mine < settings.least_labels or mine / all_before > settings.most_share / 2:
        return None  # there is nobody else, or it always gives that much
    usual = mine / all_before
    reason = (
        f"{after:,} of the day's {total:,} labels ({share:.0%}) come from this sender; of those of the 30 "
        f"days before it was {usual:.0%}."
    )
    numbers = {"labels": after, "of": total, "share": share, "usual": usual, "allowed": settings.most_share}
    return Found(Suspicion.SHARE, reason, numbers)


# Each question, and for how long it is not raised again where somebody has released the labels: a sender that
# is new gives as much on the next day, but labels that have changed are compared with themselves by then.
QUESTIONS: tuple[tuple[Question, timedelta], ...] = (
    (_disagreement, timedelta(days=1)),
    (_balance, timedelta(days=1)),
    (_share, USUAL),
)


def _rests(looked: Looked, suspicion: Suspicion, rest: timedelta) -> bool:
    released = Quarantine.objects.filter(
        model=looked.model,
        sender=looked.tally.sender,
        suspicion=suspicion,
        state=QuarantineState.RELEASED,
        decided_at__gte=timezone.now() - rest,
    )
    return released.exists()


def _given(counts: Counts) -> int:
    return counts.labels + counts.imported


def _labels(looked: Looked, least: int) -> tuple[list[Any], list[Any], bool]:
    """Return the sender's labels of the day, those before to hold them against, and whose these are.

    The sender's own, where there are enough of them: two sites may have different cases.
    """
    kind, tally = looked.model.problem.outcome or "label", looked.tally
    rows = Outcome.objects.filter(model=looked.model).order_by("-received_at", "-pk")
    mine = rows.filter(received_from=tally.sender, received_at__gte=tally.since, quarantine=None)
    now = list(mine.values_list(kind, flat=True)[:SAMPLE])
    begins = datetime.combine(tally.day, time.min, UTC)
    known = rows.filter(STANDS, received_at__lt=begins)  # also what these labels may have corrected
    earlier = list(known.values_list("received_from", kind)[:SAMPLE])
    own = [label for sender, label in earlier if sender == tally.sender]
    if len(own) >= least:
        return now, own, True
    return now, [label for sender, label in earlier if sender != tally.sender], False


def _bins(now: Sequence[Any], earlier: Sequence[Any], kind: str) -> tuple[list[str], Any]:
    """Return the names of the bins, and of numbers their inner edges, which the earlier ones fix."""
    if kind == "label":
        return sorted({*now, *earlier}), None
    edges = np.asarray(numeric_edges(np.asarray(earlier, dtype="float64")))
    ends = ["", *(f"{edge:.4g}" for edge in edges), ""]
    names = [
        f"at most {high}" if not low else f"above {low}" if not high else f"above {low} and at most {high}"
        for low, high in pairwise(ends)
    ]
    return names, edges


def _share_of(tallies: Any, sender: str) -> tuple[int, int]:
    counted = dict(tallies.order_by().values_list("sender").annotate(Sum("labels")))
    return counted.get(sender, 0), sum(counted.values())
