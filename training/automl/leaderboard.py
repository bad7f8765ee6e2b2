"""Which trial won."""

from collections.abc import Iterable, Sequence

import numpy as np

from registry.problems import ProblemType
from training.automl.trials import TrialResult

PROOF = 2.0  # standard errors


def rank(results: Iterable[TrialResult], problem: ProblemType) -> list[TrialResult]:
    """The best first by the primary metric's mean; equals by steadiness, then speed; failed last."""
    sign = -1.0 if problem.primary.higher_is_better else 1.0

    def place(result: TrialResult) -> tuple[bool, float, float, float]:
        if result.mean is None or result.std is None:
            return (True, 0.0, 0.0, result.fit_seconds)
        return (False, sign * result.mean, result.std, result.fit_seconds)

    return sorted(results, key=place)


def flattery(values: Sequence[Sequence[float]]) -> float:
    """How much better the best of many looks than it is, 0 or more.

    Its mean over the folds, less the mean of those that were the best on the other folds, each on the fold
    left out: whoever is chosen by a number may not be judged by it (Cawley and Talbot 2010).

    Args:
        values: of each trial, one for each fold, higher is better; trials that lack folds do not count.
    """
    most = max((len(one) for one in values), default=0)
    table = np.array([one for one in values if len(one) == most], dtype="float64")
    if most < 2 or len(table) < 2:
        return 0.0
    others = table.sum(axis=1, keepdims=True) - table
    honest = table[others.argmax(axis=0), np.arange(most)].mean()
    return max(0.0, float(table.mean(axis=1).max() - honest))


def unproven_lead(ahead: Sequence[float], behind: Sequence[float]) -> float:
    """How much better the mean of one trial is than another's where that may be chance; else 0.

    Chance are two standard errors of the differences.

    Args:
        ahead, behind: one value for each fold, the same folds, higher is better.
    """
    apart = np.asarray(ahead, dtype="float64") - np.asarray(behind, dtype="float64")
    lead = float(apart.mean())
    chance = PROOF * float(apart.std(ddof=1)) / np.sqrt(len(apart)) if len(apart) > 1 else np.inf
    return lead if 0 < lead <= chance else 0.0
