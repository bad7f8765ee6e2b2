"""Whether a mean is above a limit, with evidence that may be looked at after every observation.

The mixture of likelihood ratios of Robbins (Annals of Mathematical Statistics 1970;41:1397) with a flat
weight over the means above the limit; for observations in [0, 1] that are not only 0 and 1 it holds as well,
since the ratio of a mean is at least its mixture of both ends' (Howard, Ramdas, McAuliffe and Sekhon, Annals
of Statistics 2021;49:1055, on sub-Bernoulli sums). Where the mean, given all that came before, never lies
above the limit, the evidence ever reaches 1/alpha with a probability of at most alpha (Ville 1939): nothing
else is asked of the observations, not even that they are alike.
"""

import math

from scipy.special import betaincc, betaln

HALVINGS = 50


def log_evidence(total: float, count: int, limit: float) -> float:
    """Return the logarithm of the evidence that the mean of observations in [0, 1] is above the limit.

    Args:
        total: the sum of the observations, between 0 and ``count``.
        count: how many there are; 0 gives 0, which is no evidence.
        limit: between 0 and 1, neither included.

    Raises:
        ValueError: a limit or a total that cannot be.
    """
    if not 0 < limit < 1:
        raise ValueError("The limit lies between 0 and 1.")
    if not -1e-9 <= total <= count + 1e-9:
        raise ValueError("The sum of observations in [0, 1] lies between 0 and their number.")
    if not count:
        return 0.0
    hits = min(max(total, 0.0), float(count))
    misses = count - hits
    above = float(betaincc(1 + hits, 1 + misses, limit))
    if above <= 0:
        return -math.inf
    mixed = float(betaln(1 + hits, 1 + misses)) + math.log(above) - math.log1p(-limit)
    return mixed - hits * math.log(limit) - misses * math.log1p(-limit)


def lower_bound(total: float, count: int, *, alpha: float) -> float:
    """Return what the mean is at least, at all moments together but with ``alpha``; 0 if nothing is known."""
    if not count or total <= 0:
        return 0.0
    wanted, low, high = math.log(1 / alpha), 0.0, min(total / count, 1 - 1e-9)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        if middle <= 0 or log_evidence(total, count, middle) >= wanted:
            low = middle
        else:
            high = middle
    return low
