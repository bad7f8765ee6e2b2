"""Tests of two models on the same rows that need no resampling: McNemar's and DeLong's."""

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.stats import binomtest, norm, rankdata

from registry.problems.base import Comparison
from registry.problems.compare import CONFIDENCE
from registry.problems.errors import NotComparable

Floats = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]
ACCURACY_MARGIN = 0.05
AREA_MARGIN = 0.02


def mcnemar(ours: Mask, theirs: Mask, margin: float = ACCURACY_MARGIN) -> Comparison:
    """Two classifiers by their accuracy, from the rows on which just one of them is right.

    The test is exact (McNemar 1947 with the binomial distribution); the interval of the difference is Bonett
    and Price's (Br. J. Math. Stat. Psychol. 2012;65:224), which holds for few rows as well.

    Args:
        ours, theirs: (n,) whether the candidate and the champion are right.
        margin: how much accuracy may be lost.

    Raises:
        NotComparable: lengths differ, or fewer than two rows.
    """
    if len(ours) != len(theirs) or len(ours) < 2:
        raise NotComparable("McNemar's test needs both versions' answers for the same two rows or more.")
    rows = len(ours)
    gained, lost = int((ours & ~theirs).sum()), int((~ours & theirs).sum())
    up, down = (gained + 1) / (rows + 2), (lost + 1) / (rows + 2)
    error = math.sqrt((up + down - (up - down) ** 2) / (rows + 2))
    reach = _reach() * error
    p_value = binomtest(gained, gained + lost).pvalue if gained + lost else 1.0
    return Comparison(
        what="accuracy",
        candidate=float(ours.mean()),
        champion=float(theirs.mean()),
        difference=(gained - lost) / rows,
        low=max(up - down - reach, -1.0),
        high=min(up - down + reach, 1.0),
        margin=margin,
        rows=rows,
        test="McNemar",
        p_value=float(p_value),
    )


def delong(truth: Mask, ours: Floats, theirs: Floats, margin: float = AREA_MARGIN) -> Comparison:
    """Two classifiers of two classes by the area under the ROC curve, whose errors go together.

    After DeLong, DeLong and Clarke-Pearson (Biometrics 1988;44:837) by the ranks of Sun and Xu (IEEE Signal
    Process. Lett. 2014;21:1389).

    Args:
        truth: (n,) which rows are of the class looked for.
        ours, theirs: (n,) its probabilities, or any scores that order the rows.
        margin: how much area may be lost.

    Raises:
        NotComparable: fewer than two rows of either class, or a score that is not finite.
    """
    if min(int(truth.sum()), int((~truth).sum())) < 2:
        raise NotComparable("DeLong's test needs at least two rows of each class. Use a larger hold-out.")
    if not (np.isfinite(ours).all() and np.isfinite(theirs).all()):
        raise NotComparable("A score is not a finite number, so the rows cannot be put in order by it.")
    areas, of_true, of_false = _placements(truth, [ours, theirs])
    covariance = np.cov(of_true) / of_true.shape[1] + np.cov(of_false) / of_false.shape[1]
    variance = float(covariance[0, 0] + covariance[1, 1] - 2 * covariance[0, 1])
    error, difference = math.sqrt(max(variance, 0.0)), float(areas[0] - areas[1])
    reach = _reach() * error
    p_value = 2 * norm.sf(abs(difference) / error) if error > 0 else float(difference == 0)
    return Comparison(
        what="area under the ROC curve",
        candidate=float(areas[0]),
        champion=float(areas[1]),
        difference=difference,
        low=difference - reach,
        high=difference + reach,
        margin=margin,
        rows=len(truth),
        test="DeLong",
        p_value=float(p_value),
    )


def _reach() -> float:
    return float(norm.ppf((1 + CONFIDENCE) / 2))


def _placements(truth: Mask, scores: list[Floats]) -> tuple[Floats, Floats, Floats]:
    """Return the areas (k,) and, for each true and each false row, the share of the other side it beats."""
    m, n = int(truth.sum()), int((~truth).sum())
    areas, of_true, of_false = [], [], []
    for one in scores:
        true, false = one[truth], one[~truth]
        among_all = _midranks(np.concatenate([true, false]))
        share_true = (among_all[:m] - _midranks(true)) / n
        areas.append(share_true.mean())
        of_true.append(share_true)
        of_false.append(1 - (among_all[m:] - _midranks(false)) / m)
    return np.array(areas), np.array(of_true), np.array(of_false)


def _midranks(values: npt.NDArray[Any]) -> Floats:
    ranks: Floats = rankdata(values)
    return ranks
