"""Gradient boosting with exact splits."""

from sklearn.base import BaseEstimator
from sklearn.ensemble import GradientBoostingClassifier, GradientBoostingRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import Depth, LeafRows, LearningRate, Rounds, RowShare


class GradientBoostingParams(Params, frozen=True):
    """Pace and size of the boosting."""

    learning_rate: LearningRate = 0.1
    n_estimators: Rounds = 100
    max_depth: Depth = 3
    min_samples_leaf: LeafRows = 1
    subsample: RowShare = 1.0


def build(params: GradientBoostingParams, seed: int, problem: str) -> BaseEstimator:
    """Boosted trees that look at every threshold (Friedman 2001)."""
    boosting = GradientBoostingClassifier if problem == CLASSIFICATION else GradientBoostingRegressor
    return boosting(
        learning_rate=params.learning_rate,
        n_estimators=params.n_estimators,
        max_depth=params.max_depth,
        min_samples_leaf=params.min_samples_leaf,
        subsample=params.subsample,
        random_state=seed,
    )


ALGORITHM = Algorithm(
    key="gradient_boosting",
    title="Gradient boosting",
    problems=BOTH,
    params=GradientBoostingParams,
    build=build,
    traits=Traits(importance=True, handles_categories=True, onnx=True),
    advice="Accurate on up to a few thousand rows; beyond, the histogram variant is as good and far faster.",
)
