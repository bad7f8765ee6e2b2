"""How much worse one version is than another, with bounds that hold at every moment at once.

An ordinary confidence interval may be looked at once: who looks after each outcome and stops when it looks
good is wrong far more often than it says. A confidence sequence is a band that the truth leaves at no
moment, but with the stated probability, so one may look after every single outcome, and stop whenever one
likes. The method:

- Each case was dealt to the challenger with a known probability, its share at that moment. Weighting its
  error by one over the probability gives an estimate of the difference that is right on average whatever the
  share was, so a ramp, and a world that changes meanwhile, do not mislead as comparing two means would
  (Horvitz and Thompson, JASA 1952;47:663; for rollouts Ham, Bojinov, Lindon and Tingley, arXiv:2210.08639).
  What the errors before led to expect is taken off first, which makes it steadier and keeps it right
  (Waudby-Smith et al., arXiv:2210.10768).
- The sum of the estimates stays below a boundary that grows with their observed variance: the empirical
  Bernstein bound with a gamma-exponential mixture (Howard, Ramdas, McAuliffe and Sekhon, Annals of
  Statistics 2021;49:1055, theorem 4 and proposition 9). It needs no normality and no minimum of outcomes,
  only bounded errors.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import gammainc, gammaln

Floats = npt.NDArray[np.float64]
HALVINGS = 60


@dataclass(frozen=True)
class Bounds:
    """The difference of the mean errors, challenger minus champion, after ``counts`` cases (all (k,)).

    With the stated certainty the true one lies between ``low`` and ``high`` at all these moments together.
    """

    counts: npt.NDArray[np.int64]
    estimate: Floats
    low: Floats
    high: Floats


def difference_bounds(
    errors: Floats,
    taken: npt.NDArray[np.bool_],
    shares: Floats,
    *,
    least_share: float,
    most_share: float,
    alpha: float,
    tuned_for: float,
    moments: npt.NDArray[np.int64],
) -> Bounds:
    """Return the bounds on the difference after the first ``moments`` cases, in the order they became known.

    Args:
        errors: (n,) 0 to 1, each case's.
        taken: (n,) whether the challenger answered it.
        shares: (n,) the probability that it would, between ``least_share`` and ``most_share``.
        alpha: how often the truth may leave the bounds, ever.
        tuned_for: the variance at which the bounds are tightest; must not depend on the errors.
        moments: (k,) numbers of cases, 1 to n.
    """
    noise, centre = scattered(errors, taken, shares)
    sums, variance = np.cumsum(centre + noise)[moments - 1], np.cumsum(noise**2)[moments - 1]
    below = boundary(variance, alpha=alpha / 2, scale=1 / (1 - most_share), tuned_for=tuned_for)
    above = boundary(variance, alpha=alpha / 2, scale=1 / least_share, tuned_for=tuned_for)
    low, high = (sums - below) / moments, (sums + above) / moments
    return Bounds(moments, sums / moments, np.maximum(low, -1.0), np.minimum(high, 1.0))


def scattered(errors: Floats, taken: npt.NDArray[np.bool_], shares: Floats) -> tuple[Floats, Floats]:
    """Return each case's estimate of the difference in two parts: about what was expected, and the expected.

    What was expected is cut so that the first part is at least -1/(1-share) and at most 1/share.
    """
    expected = (0.5 + np.cumsum(errors) - errors) / (1 + np.arange(len(errors)))
    odds = shares / (1 - shares)
    theirs, ours = np.minimum(expected, odds), np.minimum(expected, 1 / odds)
    noise = np.where(taken, (errors - theirs) / shares, (ours - errors) / (1 - shares))
    return noise, theirs - ours


def boundary(variance: Floats, *, alpha: float, scale: float, tuned_for: float) -> Floats:
    """Return what a sum of centred terms, each at least ``-scale``, exceeds at no moment, but with ``alpha``.

    ``variance`` is the sum of the terms' squares (k,). The smallest sum at which the mixture reaches 1/alpha.
    """
    rho, wanted = tuning(tuned_for, alpha), math.log(1 / alpha)
    low = np.zeros_like(variance)
    high = np.sqrt(2 * (variance + rho) * wanted) + scale * wanted
    while (short := log_mixture(high, variance, scale=scale, rho=rho) < wanted).any():
        high = np.where(short, 2 * high, high)
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        reached = log_mixture(middle, variance, scale=scale, rho=rho) >= wanted
        low, high = np.where(reached, low, middle), np.where(reached, middle, high)
    return high


def tuning(tuned_for: float, alpha: float) -> float:
    """Return the mixture's parameter with the tightest boundary at this variance (Howard et al., 3.5)."""
    certainty = 2 * math.log(1 / (2 * alpha)) if alpha < 0.5 else 0.1
    return tuned_for / (certainty + math.log(1 + certainty))


def log_mixture(sums: Floats, variance: Floats, *, scale: float, rho: float) -> Floats:
    """Return the logarithm of the gamma-exponential mixture: under the truth it ever exceeds log(1/a) with a.

    ``sums`` are 0 or more, of terms at least ``-scale``; the exponent is that of Fan, Grama and Liu (2015).
    """
    square = scale * scale
    shape, start = (variance + rho) / square, rho / square
    shifted = (scale * sums + variance) / square
    constant = start * math.log(start) - gammaln(start) - math.log(gammainc(start, start))
    rate = shifted + start
    found: Floats = constant + gammaln(shape) + np.log(gammainc(shape, rate)) - shape * np.log(rate) + shifted
    return found
