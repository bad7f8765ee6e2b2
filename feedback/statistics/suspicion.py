"""Tests of whether a sender's labels have changed, or differ from trusted ones, that may be looked at often.

A test that is made again with each report would sooner or later suspect everybody. Here a count is looked at
when it has grown by half since the last look, and the n-th look spends ``rate / (n (n + 1))``: over all looks
together the stated rate is kept (Bonferroni; the shares sum up to 1).
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

GROWTH = 1.5


@dataclass(frozen=True)
class Changed:
    """The bin whose share has changed the most of those that chance does not explain."""

    bin: int
    share: float
    before: float
    p_value: float


def look_at(before: int, after: int, least: int) -> int | None:
    """Return the number of the look, from 1, that is due when a count grows so; None where none is."""
    due = _looks(after, least)
    return due if due > _looks(before, least) else None


def level_of(look: int, rate: float) -> float:
    """Return how likely a false alarm of this look may be, where all looks together may have ``rate``."""
    return rate / (look * (look + 1))


def changed_balance(
    now: npt.NDArray[np.int64], earlier: npt.NDArray[np.int64], *, level: float, least_change: float
) -> Changed | None:
    """Tell whether the counts by bin, (k,) each, come from other shares than the earlier ones.

    Fisher's exact test for each bin, two-sided by doubling, at ``level`` over all bins (Bonferroni): it holds
    the level for any counts. Of the bins found, those whose share changed by ``least_change`` or more count:
    of very many labels the smallest difference is no chance.
    """
    ours, theirs = int(now.sum()), int(earlier.sum())
    if not ours or not theirs:
        return None
    both = now + earlier
    below = stats.hypergeom.cdf(now, ours + theirs, both, ours)
    above = stats.hypergeom.sf(now - 1, ours + theirs, both, ours)
    p_values = np.minimum(1.0, 2 * np.minimum(below, above) * np.count_nonzero(both))
    share, before = now / ours, earlier / theirs
    change = np.where(p_values <= level, np.abs(share - before), -1.0)
    largest = int((change + np.where(share > before, 1e-12, 0.0)).argmax())  # of two, what there is more of
    if change[largest] < max(least_change, 0.0):
        return None
    return Changed(largest, float(share[largest]), float(before[largest]), float(p_values[largest]))


def chance_of_disagreement(disagreed: int, compared: int, allowed: float) -> float:
    """Return how likely so many of the compared labels differ where a share ``allowed`` of them may."""
    return float(stats.binom.sf(disagreed - 1, compared, allowed))


def counted_on(
    values: Sequence[str | float], bins: Sequence[str] | npt.NDArray[np.float64]
) -> npt.NDArray[np.int64]:
    """Count labels on their names, (k,), or numbers between inner edges, (k - 1,)."""
    if isinstance(bins, np.ndarray):
        places = np.searchsorted(bins, np.asarray(values, dtype="float64"), side="left")
        return np.bincount(places, minlength=len(bins) + 1).astype("int64")
    known = {name: place for place, name in enumerate(bins)}
    return np.bincount([known[str(one)] for one in values], minlength=len(bins)).astype("int64")


def _looks(count: int, least: int) -> int:
    if count < least:
        return 0
    return 1 + math.floor(math.log(count / least, GROWTH) + 1e-9)
