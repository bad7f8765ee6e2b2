"""How often an alarm may be false, and what each comparison of a check may then be held to.

A model's owner states how many false alarms a month are bearable. A month has so many checks, a check
compares so many features: what is left for one comparison follows, and holds for any number of rows.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import chdtrc

DAYS_OF_A_MONTH = 30.4375


def rate_of_a_check(false_alarms_a_month: float, checks_a_month: float) -> float:
    """Return the share of checks that may raise a false alarm, so that a month has as many as stated.

    At most one half. Raises ValueError where either number is not positive.
    """
    if false_alarms_a_month <= 0 or checks_a_month <= 0:
        raise ValueError("The rate of false alarms and the number of checks are greater than 0.")
    return min(0.5, false_alarms_a_month / checks_a_month)


def divergence_p_value(score: float, n: int, m: int, bins: int) -> float:
    """Return how likely chance alone reaches this population stability index.

    For n reference rows, m current rows and B bins in use the index is distributed about like (1/n + 1/m)
    times a chi-square variable with B - 1 degrees of freedom (Yurdakul and Naranjo 2020). Raises ValueError
    where a side has no rows.
    """
    if n < 1 or m < 1:
        raise ValueError("Both histograms need rows.")
    if bins < 2:
        return 1.0
    return float(chdtrc(bins - 1, max(0.0, score) / (1 / n + 1 / m)))


def benjamini_hochberg(p_values: Mapping[str, float], rate: float) -> set[str]:
    """Return the names whose hypothesis of no change falls, at this rate of false discoveries.

    Y. Benjamini and Y. Hochberg, *J. R. Stat. Soc. B* 57 (1995). Where nothing has changed at all, any name
    is returned with a probability of at most ``rate``. Raises ValueError for a rate outside (0, 1).
    """
    if not 0 < rate < 1:
        raise ValueError("The false-alarm rate lies between 0 and 1.")
    if not p_values:
        return set()
    names = sorted(p_values, key=lambda name: p_values[name])
    ordered = np.array([p_values[name] for name in names])
    below = np.flatnonzero(ordered <= rate * np.arange(1, ordered.size + 1) / ordered.size)
    return set(names[: below[-1] + 1]) if below.size else set()


def adjusted(p_values: Sequence[float]) -> list[float]:
    """Return Benjamini and Hochberg's adjusted p of each: the rate from which it would be discovered."""
    if not p_values:
        return []
    given = np.asarray(p_values, dtype="float64")
    order = np.argsort(given)[::-1]
    ranks = np.arange(given.size, 0, -1)
    falling = np.minimum.accumulate(given[order] * given.size / ranks)
    found = np.empty_like(given)
    found[order] = np.minimum(falling, 1.0)
    return [float(value) for value in found]
