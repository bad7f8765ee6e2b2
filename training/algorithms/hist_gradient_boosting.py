"""Histogram gradient boosting."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import CorrectionPenalty, Depth, FeatureShare, LearningRate, Leaves, Rounds


class HistGradientBoostingParams(Params, frozen=True):
    """Pace and size of the boosting."""

    learning_rate: LearningRate = 0.1
    max_iter: Rounds = 100
    max_leaf_nodes: Leaves = 31
    max_depth: Depth | None = None
    min_samples_leaf: Annotated[
        int,
        Meta(
            ge=1,
            le=10_000,
            description="Fewest training rows that a leaf may rest on.",
            extra={"search": {"low": 5, "high": 50, "log": True}},
        ),
    ] = 20
    l2_regularization: CorrectionPenalty = 0.0
    max_features: FeatureShare = 1.0


def build(params: HistGradientBoostingParams, seed: int, problem: str) -> BaseEstimator:
    """Boosted trees on binned values (Ke et al. 2017, LightGBM)."""
    classify = problem == CLASSIFICATION
    boosting = HistGradientBoostingClassifier if classify else HistGradientBoostingRegressor
    return boosting(
        learning_rate=params.learning_rate,
        max_iter=params.max_iter,
        max_leaf_nodes=params.max_leaf_nodes,
        max_depth=params.max_depth,
        min_samples_leaf=params.min_samples_leaf,
        l2_regularization=params.l2_regularization,
        max_features=params.max_features,
        early_stopping=False,  # a hidden split would make the figures hang on the row order
        random_state=seed,
    )


ALGORITHM = Algorithm(
    key="hist_gradient_boosting",
    title="Histogram gradient boosting",
    problems=BOTH,
    params=HistGradientBoostingParams,
    build=build,
    traits=Traits(
        handles_missing=True, handles_categories=True, category_sets="categorical_features", onnx=True
    ),
    advice="Usually the most accurate from a few thousand rows on; takes missing values as they are.",
)
