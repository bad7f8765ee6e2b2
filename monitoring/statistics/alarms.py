"""Which columns of a check have drifted: by a rule that holds a rate of false alarms, or by fixed limits."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.optimize import brentq
from scipy.special import chdtri, gammaln, ndtr, xlogy

from monitoring.statistics.false_alarms import DAYS_OF_A_MONTH, benjamini_hochberg, divergence_p_value
from monitoring.statistics.psi import noise_threshold

Floats = npt.NDArray[np.float64]
CLASSIC_LIMIT, CLASSIC_SHARE = 0.1, 0.3
LOWEST_LEVEL, HIGHEST_LEVEL = 1e-15, 0.3
LOOSER = 5
MINUTES_OF_A_DAY = 1440


@dataclass(frozen=True)
class Divergence:
    """One column's population stability index, of how many rows and on how many bins in use."""

    score: float
    before: int
    after: int
    bins: int

    @property
    def p_value(self) -> float:
        """How likely chance alone reaches the score."""
        return divergence_p_value(self.score, self.before, self.after, self.bins)


@dataclass(frozen=True)
class Watch:
    """A window that is looked at again and again: its length, the time between looks, whether it still grows.

    A growing window keeps its beginning; any other is moved along.
    """

    days: float
    minutes: float
    growing: bool = False


@dataclass(frozen=True)
class Judgement:
    """What a rule says: the limit of each column's score, which are above it, and whether people are told.

    ``rate`` is the share of checks that raise a false alarm; None where the rule holds none.
    """

    thresholds: dict[str, float]
    drifted: frozenset[str]
    alarm: bool
    rate: float | None = None


def calibrated(
    found: Mapping[str, Divergence], watch: Watch, false_alarms_a_month: float, *, standing: bool = False
) -> Judgement:
    """Hold a number of false alarms a month over all columns, rows and looks (see ``level_of_a_column``).

    Columns are discovered by Benjamini and Hochberg's procedure, so where nothing has changed any is found no
    more often than stated, and where much has changed the limit of each falls. Each limit is the calibrated
    (1/n + 1/m) times a chi-square quantile. While an alarm is ``standing`` the rate is five times as large:
    a score that hovers around its limit is one alarm, not many. Raises ValueError where the number is not
    positive.
    """
    compared = [one for one in found.values() if one.bins > 1]
    level = level_of_a_column(compared, watch, false_alarms_a_month)
    rate = min(0.5, level * max(1, len(compared)))
    p_values = {name: one.p_value for name, one in found.items() if one.bins > 1}
    held = min(0.5, LOOSER * rate) if standing else rate
    drifted = benjamini_hochberg(p_values, held)
    cut = held * max(1, len(drifted)) / max(1, len(p_values))
    thresholds = {name: noise_threshold(one.before, one.after, one.bins, cut) for name, one in found.items()}
    return Judgement(thresholds, frozenset(drifted), bool(drifted), rate)


def classic(
    found: Mapping[str, Divergence],
    features: Collection[str],
    limit: float = CLASSIC_LIMIT,
    share: float = CLASSIC_SHARE,
) -> Judgement:
    """Hold each score against one constant, and the share of drifted ``features`` against another.

    N. Siddiqi, *Credit Risk Scorecards* (2006): 0.1 is a shift worth a look, 0.25 a large one. Neither the
    number of rows nor that of features is looked at, so no rate of false alarms is held.
    """
    drifted = frozenset(name for name, one in found.items() if one.score > limit)
    of_features = len(drifted & set(features)) / max(1, len(features))
    return Judgement(dict.fromkeys(found, limit), drifted, bool(drifted) and of_features >= share)


def level_of_a_column(found: Collection[Divergence], watch: Watch, false_alarms_a_month: float) -> float:
    """Return the p below which one column counts, for so many false alarms a month of all looks together.

    Windows overlap, so alarms come in clumps: counting each look as new would be far too careful, counting
    each window once too careless. The rate of clumps of a chi-square process whose correlation falls linearly
    by c a day is 2 c u f(u) at level u, where f is its density (D. Aldous, *Probability Approximations via
    the Poisson Clumping Heuristic*, 1989), times a correction for looks at intervals (D. Siegmund and
    B. Yakir, *The Statistics of Gene Mapping*, 2007). Of the variance the reference's part stays the
    same at all looks. Raises ValueError where a number is not positive.
    """
    if false_alarms_a_month <= 0 or watch.days <= 0 or watch.minutes <= 0:
        raise ValueError("The false alarms a month, the window and the time between looks are positive.")
    if not found:
        return LOWEST_LEVEL
    step = watch.minutes / MINUTES_OF_A_DAY
    days = max(watch.days, step)
    freedom = np.array([one.bins - 1 for one in found], dtype="float64")
    before = np.array([one.before for one in found], dtype="float64")
    after = np.array([one.after for one in found], dtype="float64")
    fall = before / (before + after) / (2 * days if watch.growing else days)
    # Between two rows nothing moves, however often one looks.
    steps = np.maximum(step, days / after)
    surplus = partial(_surplus, freedom, fall, steps, false_alarms_a_month)
    low, high = np.log(LOWEST_LEVEL), np.log(HIGHEST_LEVEL)
    if surplus(high) <= 0:
        return HIGHEST_LEVEL
    return LOWEST_LEVEL if surplus(low) >= 0 else float(np.exp(brentq(surplus, low, high, xtol=1e-3)))


def _surplus(freedom: Floats, fall: Floats, steps: Floats, wanted: float, log_level: float) -> float:
    level = chdtri(freedom, np.exp(log_level))
    clumps = 2 * fall * level * _density(level, freedom) * _between_looks(np.sqrt(2 * level * fall * steps))
    return float(clumps.sum() * DAYS_OF_A_MONTH - wanted)


def _between_looks(drop: Floats) -> Floats:
    """Return Siegmund and Yakir's nu: the share of clumps that looks at intervals see."""
    half = np.maximum(drop, 1e-9) / 2
    below, density = ndtr(half), np.exp(-(half**2) / 2) / np.sqrt(2 * np.pi)
    seen: Floats = (below - 0.5) / half / (half * below + density)
    return seen


def _density(values: Floats, freedom: Floats) -> Floats:
    """Return the chi-square density; ``scipy.stats`` spends most of its time on checking its arguments."""
    half = freedom / 2
    found: Floats = np.exp(xlogy(half - 1, values) - values / 2 - gammaln(half) - half * np.log(2))
    return found
