"""Is one model better than another on the same rows?"""

from collections.abc import Callable

import msgspec
import numpy as np
import numpy.typing as npt

from registry.problems.base import Comparison
from registry.problems.errors import NotComparable

Floats = npt.NDArray[np.float64]

FEW_VALUES = 1000
CELLS_AT_ONCE = 4_000_000
CONFIDENCE = 0.9  # two-sided, so each bound holds with 95 %
RANKED_DRAWS = 300


class PairedDifference(msgspec.Struct, frozen=True):
    """The mean of a - b over ``n`` rows and its confidence interval."""

    mean: float
    low: float
    high: float
    n: int


def paired_bootstrap(
    a: Floats, b: Floats, n: int = 2000, confidence: float = 0.95, seed: int = 0
) -> PairedDifference:
    """Percentile bootstrap of the mean difference of paired row scores (Efron and Tibshirani 1993, ch. 13).

    Rows are drawn as pairs, so what makes a row hard for both models cancels out. ``a`` is better with this
    confidence where ``low`` is above 0 (scores being "higher is better").

    Args:
        a, b: one score per row, the same rows in the same order.
        n: number of resamples.
        confidence: coverage of the two-sided interval, between 0 and 1.

    Raises:
        NotComparable: lengths differ, fewer than two rows, or a score that is not finite.
    """
    if len(a) != len(b):
        raise NotComparable(f"{len(a)} scores against {len(b)}: score both models on the same rows.")
    difference = np.asarray(a, dtype="float64") - np.asarray(b, dtype="float64")
    if len(difference) < 2:
        raise NotComparable("A comparison needs at least two rows. Use a larger hold-out.")
    if not np.isfinite(difference).all():
        raise NotComparable("A score is not a finite number. Leave out rows without outcome or prediction.")
    means = _resampled_means(difference, n, np.random.default_rng(seed))
    tail = (1 - confidence) / 2
    low, high = np.quantile(means, [tail, 1 - tail])
    return PairedDifference(float(difference.mean()), float(low), float(high), len(difference))


def compared(what: str, ours: Floats, theirs: Floats, margin: float) -> Comparison:
    """Two series of row scores (higher is better) over the same rows held against each other.

    By ``paired_bootstrap``. Errors come negated; told are their means with the sign turned back.
    """
    found = paired_bootstrap(ours, theirs, confidence=CONFIDENCE)
    sign = -1.0 if max(ours.max(), theirs.max()) <= 0 else 1.0
    values = sign * float(ours.mean()), sign * float(theirs.mean())
    return Comparison(what, *values, found.mean, found.low, found.high, margin, found.n)


def ranked_bootstrap(
    truth: npt.NDArray[np.bool_],
    a: Floats,
    b: Floats,
    measure: Callable[[npt.NDArray[np.bool_], Floats], float],
    n: int = RANKED_DRAWS,
    seed: int = 0,
) -> PairedDifference:
    """Percentile bootstrap of measure(truth, a) - measure(truth, b) for a measure of the rows' order.

    Rows are drawn as pairs, true and false ones apart, so that no draw is without either.

    Args:
        truth: which rows are true; some are and some are not.
        a, b: one score per row, larger for what is likelier true.
    """
    rng = np.random.default_rng(seed)
    sides = np.flatnonzero(truth), np.flatnonzero(~truth)
    differences = np.empty(n)
    for draw in range(n):
        rows = np.concatenate([side[rng.integers(0, len(side), len(side))] for side in sides])
        differences[draw] = measure(truth[rows], a[rows]) - measure(truth[rows], b[rows])
    tail = (1 - CONFIDENCE) / 2
    low, high = np.quantile(differences, [tail, 1 - tail])
    return PairedDifference(measure(truth, a) - measure(truth, b), float(low), float(high), len(truth))


def _resampled_means(difference: Floats, n: int, rng: np.random.Generator) -> Floats:
    values, counts = np.unique(difference, return_counts=True)
    size = len(difference)
    if len(values) <= FEW_VALUES:
        # Drawing rows with replacement is one multinomial draw over the distinct values: the same
        # distribution, and for right-or-wrong scores it costs the same on a million rows as on ten.
        draws = rng.multinomial(size, counts / size, size=n)
        means: Floats = draws @ values / size
        return means
    at_once = max(1, CELLS_AT_ONCE // size)
    parts = [
        difference[rng.integers(0, size, size=(min(at_once, n - done), size))].mean(axis=1)
        for done in range(0, n, at_once)
    ]
    return np.concatenate(parts)
