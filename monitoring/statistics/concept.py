"""Whether a stream of errors has changed its mean: concept drift, seen while the outcomes come in."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from scipy.optimize import brentq

BURN_IN = 30
ROWS_PER_FALSE_ALARM = 100_000
LARGEST_RATIO = 500.0  # of the threshold to the spread: beyond it, a double overflows


@dataclass(frozen=True)
class PageHinkley:
    """The Page-Hinkley test for a mean that rises; its state fits into a row of a database.

    E. S. Page, *Biometrika* 41 (1954); J. Gama et al., *ACM Comput. Surv.* 46 (2014), section 3.2. Each value
    adds by how much it lies above the mean so far, less ``tolerance``; a change is told once the sum has
    risen ``threshold`` above its lowest point.

    Attributes:
        tolerance: the rise of the mean that is borne, in the values' unit.
        threshold: how far the sum may rise, in the values' unit times rows.
        burn_in: rows that are only learnt from.
        rows, mean: of the values since the last change.
        total, lowest: the sum, and its lowest point.
        risen_rows, risen_sum: how many values came since the lowest point, and what they add up to.
    """

    tolerance: float = 0.005
    threshold: float = 50.0
    burn_in: int = BURN_IN
    rows: int = 0
    mean: float = 0.0
    total: float = 0.0
    lowest: float = 0.0
    risen_rows: int = 0
    risen_sum: float = 0.0
    changed: bool = False

    @property
    def evidence(self) -> float:
        """How far the sum has risen, as a share of the threshold: a change is told beyond 1."""
        return (self.total - self.lowest) / self.threshold

    @property
    def before(self) -> float:
        """The mean up to the sum's lowest point, where the rise began; 0 without rows."""
        rows = self.rows - self.risen_rows
        return (self.mean * self.rows - self.risen_sum) / rows if rows else 0.0

    @property
    def since(self) -> float:
        """The mean since the sum's lowest point; the whole mean where it is there now."""
        return self.risen_sum / self.risen_rows if self.risen_rows else self.mean

    def after(self, value: float) -> "PageHinkley":
        """Return the state after one more value; after a change it begins anew.

        Raises ValueError for what is not a finite number.
        """
        return followed(self, [value]).state


class Change(NamedTuple):
    """A change: after which value, from 0, and the means before and since the rise began."""

    place: int
    before: float
    since: float


@dataclass(frozen=True)
class Followed:
    """What the test makes of some values: its state after them, the changes, and its evidence after each."""

    state: PageHinkley
    changes: list[Change]
    evidence: list[float]


def followed(test: PageHinkley, values: Iterable[float]) -> Followed:
    """Let the test follow the values, in their order.

    Raises ValueError for what is not a finite number.
    """
    found: list[Change] = []
    evidence: list[float] = []
    begun = _begun(test)
    rows, mean, total, lowest = begun.rows, begun.mean, begun.total, begun.lowest
    risen_rows, risen_sum, changed = begun.risen_rows, begun.risen_sum, False
    for place, value in enumerate(values):
        if not math.isfinite(value):
            raise ValueError("The stream takes finite numbers.")
        if changed:
            rows, mean, total, lowest, risen_rows, risen_sum, changed = 0, 0.0, 0.0, 0.0, 0, 0.0, False
        rows += 1
        mean += (value - mean) / rows
        total += value - mean - test.tolerance
        if total < lowest:
            lowest, risen_rows, risen_sum = total, 0, 0.0
        else:
            risen_rows, risen_sum = risen_rows + 1, risen_sum + value
        evidence.append((total - lowest) / test.threshold)
        changed = rows >= test.burn_in and total - lowest > test.threshold
        if changed:
            steady = (mean * rows - risen_sum) / (rows - risen_rows) if rows > risen_rows else 0.0
            found.append(Change(place, steady, risen_sum / risen_rows))
    if not evidence:
        return Followed(test, [], [])
    state = replace(
        begun, rows=rows, mean=mean, total=total, lowest=lowest, risen_rows=risen_rows, risen_sum=risen_sum
    )
    return Followed(replace(state, changed=changed), found, evidence)


def _begun(test: PageHinkley) -> PageHinkley:
    return PageHinkley(test.tolerance, test.threshold, test.burn_in) if test.changed else test


def changes(values: Iterable[float], test: PageHinkley) -> list[int]:
    """Return the places, from 0, at which the test tells of a change."""
    return [change.place for change in followed(test, values).changes]


def threshold_for(variance: float, tolerance: float, rows: int = ROWS_PER_FALSE_ALARM) -> float:
    """Return the threshold beyond which values of an unchanged mean come once in so many rows.

    The sum is taken for a Brownian motion with drift ``-tolerance``, reflected at its lowest point, whose
    mean time to the threshold h is (e^x - 1 - x) s / (2 d^2) with x = 2 d h / s, for variance s and
    tolerance d (D. Siegmund, *Sequential Analysis*, 1985, chapter II). Raises ValueError where a number is
    not positive.
    """
    if variance <= 0 or tolerance <= 0 or rows <= 0:
        raise ValueError("The variance, the tolerance and the rows are positive.")
    scale = variance / (2 * tolerance**2)

    def surplus(ratio: float) -> float:
        return float((math.expm1(ratio) - ratio) * scale - rows)

    ratio = float(brentq(surplus, 1e-9, LARGEST_RATIO))
    return ratio * variance / (2 * tolerance)
