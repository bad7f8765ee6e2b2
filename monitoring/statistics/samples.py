"""Two samples of numbers, compared row by row rather than bin by bin: exact, at one sort a sample.

A column's rows are sorted once; the statistics share the sorted values and one merge of both samples.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.stats import distributions

Floats = npt.NDArray[np.float64]
Counts = npt.NDArray[np.int64]


@dataclass(frozen=True)
class KolmogorovSmirnov:
    """The largest distance of the two distribution functions, and how likely chance alone reaches it."""

    statistic: float
    p_value: float


@dataclass(frozen=True)
class TwoSamples:
    """Two samples of finite numbers in ascending order, of n and m values."""

    reference: Floats
    current: Floats

    @classmethod
    def of(cls, reference: Floats, current: Floats) -> "TwoSamples":
        """Sort both, without their missing and infinite values; raises ValueError where nothing is left."""
        one, other = _finite_sorted(reference), _finite_sorted(current)
        if not one.size or not other.size:
            raise ValueError("Both samples need finite values.")
        return cls(one, other)

    @cached_property
    def _merged(self) -> tuple[Floats, Floats]:
        """All n + m values in order, and the difference of the distribution functions right of each."""
        together = np.concatenate([self.reference, self.current])
        # Two sorted runs: the stable sort merges them in one pass.
        order = np.argsort(together, kind="stable")
        from_reference = np.cumsum(order < self.reference.size)
        place = np.arange(1, together.size + 1)
        difference = from_reference / self.reference.size - (place - from_reference) / self.current.size
        return together[order], difference

    def kolmogorov_smirnov(self) -> KolmogorovSmirnov:
        """Return the two-sided test; p by the distribution of its limit, as scipy's ``method="asymp"``.

        ``scipy.stats.ks_2samp``; J. L. Hodges, *Arkiv för Matematik* 3 (1958).
        """
        values, difference = self._merged
        last = np.append(values[1:] != values[:-1], True)  # of equal values only the last tells
        statistic = float(np.abs(difference[last]).max())
        n, m = sorted((float(self.reference.size), float(self.current.size)), reverse=True)
        p_value = float(distributions.kstwo.sf(statistic, max(1.0, np.round(n * m / (n + m)))))
        return KolmogorovSmirnov(statistic, min(1.0, max(0.0, p_value)))

    def wasserstein(self) -> float:
        """Return the area between the two distribution functions, in the values' unit.

        ``scipy.stats.wasserstein_distance``: how far a value has to be moved on average.
        """
        if self.reference.size == self.current.size:  # the n-th smallest goes to the n-th smallest
            return float(np.abs(self.reference - self.current).mean())
        values, difference = self._merged
        return float((np.abs(difference[:-1]) * np.diff(values)).sum())

    def normed_wasserstein(self) -> float:
        """Return the distance in standard deviations of the reference, or plain where that is constant."""
        deviation = float(self.reference.std())
        return self.wasserstein() / deviation if deviation > 0 else self.wasserstein()

    def counts_on(self, edges: Floats) -> tuple[Counts, Counts]:
        """Count both samples on bins with these inner cut points: a value on an edge belongs below it.

        Shapes: ``edges`` (k,), both answers (k + 1,).
        """
        return _count(self.reference, edges), _count(self.current, edges)


def _finite_sorted(values: Floats) -> Floats:
    found = np.asarray(values, dtype="float64")
    finite = np.isfinite(found)
    if not finite.all():
        found = found[finite]
    return np.sort(found)


def _count(ordered: Floats, edges: Floats) -> Counts:
    below = np.searchsorted(ordered, edges, side="right")
    counts: Counts = np.diff(below, prepend=0, append=ordered.size)
    return counts
