"""How far two histograms with the same bins lie apart, by the measures that the field uses.

All take counts, reference first, and leave out bins that are empty on both sides; all but chi-square lie
between 0 (equal shares) and a bound of their own. None raises counts by a prior: an empty bin is an empty bin
(the population stability index, which cannot bear one, is in ``psi``).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

Counts = npt.NDArray[np.float64]
SAME_BINS = "The two histograms must have the same bins."


@dataclass(frozen=True)
class ChiSquare:
    """Pearson's test of two samples of categories: the statistic, its degrees of freedom, and p."""

    statistic: float
    freedom: int
    p_value: float


@dataclass(frozen=True)
class Divergences:
    """What the measures for any bins say of two histograms."""

    jensen_shannon: float
    hellinger: float
    l_infinity: float
    chi_square: ChiSquare
    cramers_v: float


def divergences(reference: Sequence[float], current: Sequence[float]) -> Divergences:
    """Return every measure for any bins, of counts that are looked through once.

    Raises ValueError as ``jensen_shannon``.
    """
    table = _table(reference, current)
    p, q = _shares(table)
    test = _chi_square(table)
    return Divergences(
        _jensen_shannon(p, q), _hellinger(p, q), _l_infinity(p, q), test, _cramers_v(test, table)
    )


def jensen_shannon(reference: Sequence[float], current: Sequence[float]) -> float:
    """Return the Jensen-Shannon distance, the root of the divergence in bits: between 0 and 1.

    J. Lin, *IEEE Trans. Inf. Theory* 37 (1991); ``scipy.spatial.distance.jensenshannon`` with base 2.
    Raises ValueError for unequal or negative bins, or a side without rows.
    """
    return _jensen_shannon(*_shares(_table(reference, current)))


def hellinger(reference: Sequence[float], current: Sequence[float]) -> float:
    """Return the Hellinger distance: between 0 and 1. Raises ValueError as ``jensen_shannon``."""
    return _hellinger(*_shares(_table(reference, current)))


def l_infinity(reference: Sequence[float], current: Sequence[float]) -> float:
    """Return the largest change of a share: between 0 and 1. Raises ValueError as ``jensen_shannon``."""
    return _l_infinity(*_shares(_table(reference, current)))


def chi_square(reference: Sequence[float], current: Sequence[float]) -> ChiSquare:
    """Test whether both samples come from the same shares, without a continuity correction.

    ``scipy.stats.chi2_contingency(correction=False)`` of the table of both. Fewer than two bins in use give
    statistic 0 and p = 1. Raises ValueError as ``jensen_shannon``.
    """
    return _chi_square(_table(reference, current))


def _chi_square(table: Counts) -> ChiSquare:
    freedom = table.shape[1] - 1
    if freedom < 1:
        return ChiSquare(0.0, 0, 1.0)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    statistic = float(((table - expected) ** 2 / expected).sum())
    return ChiSquare(statistic, freedom, float(chdtrc(freedom, statistic)))


def cramers_v(reference: Sequence[float], current: Sequence[float]) -> float:
    """Return how strongly the bin depends on the sample: between 0 and 1, whatever the number of rows.

    H. Cramér, *Mathematical Methods of Statistics* (1946), of a table of two samples: the root of chi-square
    over the rows; no correction for bias. Raises ValueError as ``jensen_shannon``.
    """
    table = _table(reference, current)
    return _cramers_v(_chi_square(table), table)


def binned_kolmogorov_smirnov(reference: Sequence[float], current: Sequence[float]) -> float:
    """Return the largest distance of the two distribution functions at the bins' borders.

    For ordered bins, which the caller vouches for; never above the exact statistic of the rows. Raises
    ValueError as ``jensen_shannon``.
    """
    p, q = _shares(_table(reference, current))
    return min(1.0, float(np.abs(np.cumsum(p - q)).max()))


def binned_wasserstein(
    reference: Sequence[float], current: Sequence[float], edges: Sequence[float]
) -> float | None:
    """Return about the area between the two distribution functions, in deviations of the reference.

    Known at the ``edges`` alone, (k,), between k + 1 bins of which the outer are open: what moved inside a
    bin is not seen. None for fewer than two edges. Raises ValueError as ``jensen_shannon``.
    """
    _table(reference, current)
    p, q = (np.asarray(side, dtype="float64") / np.sum(side) for side in (reference, current))
    cuts = np.asarray(edges, dtype="float64")
    if cuts.size < 2:
        return None
    gaps = np.diff(cuts)
    widths = (np.append(gaps[0], gaps) + np.append(gaps, gaps[-1])) / 2
    middles = np.concatenate([[cuts[0] - gaps[0] / 2], cuts[:-1] + gaps / 2, [cuts[-1] + gaps[-1] / 2]])
    mean = float((p * middles).sum())
    deviation = float(np.sqrt((p * (middles - mean) ** 2).sum()))
    area = float((np.abs(np.cumsum(p - q)[:-1]) * widths).sum())
    return area / deviation if deviation > 0 else area


def _jensen_shannon(p: Counts, q: Counts) -> float:
    middle = (p + q) / 2
    divergence = (_information(p, middle) + _information(q, middle)) / 2
    return float(np.sqrt(min(max(divergence, 0.0), 1.0)))


def _hellinger(p: Counts, q: Counts) -> float:
    return min(1.0, float(np.sqrt(((np.sqrt(p) - np.sqrt(q)) ** 2).sum() / 2)))


def _l_infinity(p: Counts, q: Counts) -> float:
    return float(np.abs(p - q).max())


def _cramers_v(test: ChiSquare, table: Counts) -> float:
    return min(1.0, float(np.sqrt(test.statistic / float(table.sum()))))


def _information(p: Counts, middle: Counts) -> float:
    inside = p > 0
    return float((p[inside] * np.log2(p[inside] / middle[inside])).sum())


def _table(reference: Sequence[float], current: Sequence[float]) -> Counts:
    one, other = np.asarray(reference, dtype="float64"), np.asarray(current, dtype="float64")
    if one.shape != other.shape or one.ndim != 1:
        raise ValueError(SAME_BINS)
    table = np.stack([one, other])
    if (table < 0).any() or not np.isfinite(table).all():
        raise ValueError("Counts are finite and cannot be negative.")
    if not table.any(axis=1).all():
        raise ValueError("Both histograms need rows.")
    used: Counts = table[:, table.any(axis=0)]
    return used


def _shares(table: Counts) -> tuple[Counts, Counts]:
    p, q = table / table.sum(axis=1, keepdims=True)
    return p, q
