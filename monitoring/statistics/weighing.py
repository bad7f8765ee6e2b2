"""What the outcomes say of a rollout's challenger: better, good enough, worse, or not known yet."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

import numpy as np
import numpy.typing as npt

from monitoring.statistics.confidence_sequences import difference_bounds

DRAWN = 80  # moments at which the bounds are kept for the picture
TYPICAL_SQUARE = 0.1  # of an error on the scale of 0 to 1, for tuning alone


class Decision(StrEnum):
    """What follows."""

    UNDECIDED = "undecided"
    BETTER = "better"
    GOOD = "good"
    WORSE = "worse"
    CRITICAL = "critical"


GOOD_NEWS = frozenset({Decision.BETTER, Decision.GOOD})
BAD_NEWS = frozenset({Decision.WORSE, Decision.CRITICAL})


@dataclass(frozen=True)
class Criteria:
    """By what is decided, in the errors' own unit; ``cautious`` takes bad news before ``minimum`` cases."""

    margin: float
    alpha: float
    minimum: int
    largest_error: float
    critical_error: float | None
    least_share: float
    most_share: float
    cautious: bool


@dataclass(frozen=True)
class Cases:
    """The cases with a known outcome, in the order in which it became known, each dealt once; all shape (n,).

    ``taken`` tells whether the challenger answered, ``shares`` with which probability it would. ``worst`` is
    the error by which a single answer is judged critical.
    """

    errors: npt.NDArray[np.float64]
    worst: npt.NDArray[np.float64]
    taken: npt.NDArray[np.bool_]
    shares: npt.NDArray[np.float64]


@dataclass(frozen=True)
class Side:
    """One version's cases and their mean error, None without any."""

    cases: int
    error: float | None


@dataclass(frozen=True)
class Weighed:
    """The decision and its numbers; ``difference`` is challenger - champion, between ``low`` and ``high``.

    ``path`` are the bounds as they grew: a list of cases, difference, low, high.
    """

    decision: Decision
    challenger: Side
    champion: Side
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    worst: float | None = None
    path: list[list[float]] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """Return it as it is stored."""
        return asdict(self)


def weigh(cases: Cases, criteria: Criteria) -> Weighed:
    """Weigh the cases; at any moment, and as often as one likes."""
    challenger, champion = (_side(cases, criteria, of=side) for side in (True, False))
    if not len(cases.errors):
        return Weighed(Decision.UNDECIDED, challenger, champion)
    bounds = difference_bounds(
        np.minimum(cases.errors / criteria.largest_error, 1.0),
        cases.taken,
        cases.shares,
        least_share=criteria.least_share,
        most_share=criteria.most_share,
        alpha=criteria.alpha,
        tuned_for=_tuned_for(criteria),
        moments=np.unique(np.linspace(1, len(cases.errors), DRAWN).round().astype("int64")),
    )
    size = criteria.largest_error
    drawn = zip(bounds.counts, bounds.estimate, bounds.low, bounds.high, strict=True)
    path = [[int(n), *(round(float(one) * size, 6) for one in ends)] for n, *ends in drawn]
    _, difference, low, high = path[-1]
    worst = float(cases.worst[cases.taken].max()) if cases.taken.any() else None
    decision = _decision(criteria, low, high, worst, min(challenger.cases, champion.cases))
    return Weighed(decision, challenger, champion, difference, low, high, worst, path)


def _side(cases: Cases, criteria: Criteria, *, of: bool) -> Side:
    errors = np.minimum(cases.errors[cases.taken == of], criteria.largest_error)
    return Side(len(errors), round(float(errors.mean()), 6) if len(errors) else None)


def _tuned_for(criteria: Criteria) -> float:
    """The variance to be expected when the rarer version has the asked-for cases."""
    rarer = min(criteria.least_share, 1 - criteria.least_share)
    return criteria.minimum / rarer * TYPICAL_SQUARE / (rarer * (1 - rarer))


def _decision(criteria: Criteria, low: float, high: float, worst: float | None, fewer: int) -> Decision:
    enough = fewer >= criteria.minimum
    if criteria.critical_error is not None and worst is not None and worst >= criteria.critical_error:
        return Decision.CRITICAL
    if low > 0 and (enough or criteria.cautious):
        return Decision.WORSE
    if enough and high < 0:
        return Decision.BETTER
    return Decision.GOOD if enough and low <= 0 and high < criteria.margin else Decision.UNDECIDED
