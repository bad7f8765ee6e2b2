"""How mixed a node is."""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Impurity = Callable[[Floats], Floats]


def gini(counts: Floats) -> Floats:
    """1 - sum p^2 over the last axis of the class counts (..., k): the chance that two draws differ."""
    differ: Floats = 1.0 - np.square(_shares(counts)).sum(axis=-1)
    return differ


def entropy(counts: Floats) -> Floats:
    """-sum p log2 p over the last axis of the class counts (..., k), in bits; 0 log 0 is 0."""
    shares = _shares(counts)
    logs = np.log2(shares, out=np.zeros_like(shares), where=shares > 0)
    bits: Floats = -(shares * logs).sum(axis=-1) + 0.0  # + 0.0 turns -0.0 into 0.0
    return bits


def _shares(counts: Floats) -> Floats:
    total = counts.sum(axis=-1, keepdims=True)
    shares: Floats = np.divide(counts, total, out=np.zeros_like(counts), where=total > 0)
    return shares


CRITERIA: Mapping[str, Impurity] = {"gini": gini, "entropy": entropy}
