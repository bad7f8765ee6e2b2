"""The population stability index, and how large it becomes by chance alone.

Sources: N. Siddiqi, *Credit Risk Scorecards* (2006), for the index; B. Yurdakul and
J. Naranjo, "Statistical properties of the population stability index", *Journal of Risk Model Validation* 14
(2020), for its distribution when nothing has changed.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import gammaincinv

Counts = npt.NDArray[np.float64]
SMOOTHING = 0.5  # Jeffreys' prior: a bin that happens to be empty must not dominate a small window


def population_stability_index(reference_counts: Sequence[float], current_counts: Sequence[float]) -> float:
    """Return the symmetric divergence of two histograms with the same bins.

    The sum over bins of (q - p) ln(q / p), where p and q are the shares of the reference and of the current
    counts, each count raised by one half. Bins that are empty on both sides say nothing and are left out.
    0 for equal counts, never negative; raises ValueError for unequal lengths or negative counts.
    """
    reference = np.asarray(reference_counts, dtype="float64")
    current = np.asarray(current_counts, dtype="float64")
    if reference.shape != current.shape or reference.ndim != 1:
        raise ValueError("The two histograms must have the same bins.")
    if (reference < 0).any() or (current < 0).any():
        raise ValueError("Counts cannot be negative.")
    used = (reference + current) > 0
    if used.sum() < 2:
        return 0.0
    p = _shares(reference[used])
    q = _shares(current[used])
    return max(0.0, float(((q - p) * np.log(q / p)).sum()))


def _shares(counts: Counts) -> Counts:
    raised = counts + SMOOTHING
    shares: Counts = raised / raised.sum()
    return shares


def noise_threshold(n: int, m: int, bins: int, alpha: float) -> float:
    """Return what the index exceeds with probability ``alpha`` although nothing has changed.

    For n reference rows, m current rows and B bins the index is distributed about like (1/n + 1/m) times a
    chi-square variable with B - 1 degrees of freedom.
    """
    if n < 1 or m < 1:
        raise ValueError("Both histograms need rows.")
    if not 0 < alpha < 1:
        raise ValueError("The false-alarm rate lies between 0 and 1.")
    if bins < 2:
        return 0.0
    return float((1 / n + 1 / m) * 2 * gammaincinv((bins - 1) / 2, 1 - alpha))  # chi-square's quantile
