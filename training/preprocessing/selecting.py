"""Which of the prepared inputs go on to the algorithm."""

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
from sklearn.feature_selection import (
    SelectFromModel,
    SelectPercentile,
    VarianceThreshold,
    f_classif,
    f_regression,
)
from sklearn.pipeline import Pipeline

from training.algorithms.base import CLASSIFICATION

Floats = npt.NDArray[np.float64]
TREES = 50


def selector(how: str, keep: float, seed: int, problem: str) -> Any:
    """A transformer that drops inputs: constant ones, or all but a share of the best.

    Args:
        how: ``variance``, ``k_best`` (one-way analysis of variance, or correlation) or ``model`` (how much a
            small forest of extra trees uses them).
        keep: share of the inputs that the last two keep, at least one.
    """
    if how == "variance":
        return VarianceThreshold()
    if how == "k_best":
        score = related_to_class if problem == CLASSIFICATION else related_to_number
        # A constant input has no relation to anything, and its score would be a division by zero.
        return Pipeline(
            [("vary", VarianceThreshold()), ("best", SelectPercentile(score, percentile=100 * keep))]
        )
    forest = ExtraTreesClassifier if problem == CLASSIFICATION else ExtraTreesRegressor
    trees = forest(n_estimators=TREES, min_samples_leaf=3, random_state=seed)
    return SelectFromModel(trees, threshold=-np.inf, max_features=partial(share_of, keep=keep))


def share_of(X: Floats, keep: float) -> int:
    """How many of X's inputs are kept: the share, at least one."""
    return max(1, round(keep * int(X.shape[1])))


def related_to_class(X: Floats, y: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """F statistic and p-value of each input against the classes."""
    with np.errstate(divide="ignore", invalid="ignore"):  # an input that is constant within the classes
        scores, values = f_classif(X, y)
    return scores, values


def related_to_number(X: Floats, y: npt.NDArray[Any]) -> tuple[Floats, Floats]:
    """F statistic and p-value of each input's correlation with the target."""
    with np.errstate(divide="ignore", invalid="ignore"):
        scores, values = f_regression(X, y)
    return scores, values
