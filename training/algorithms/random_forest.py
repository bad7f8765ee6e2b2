"""Random forest."""

from sklearn.base import BaseEstimator
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import Depth, FeatureShare, LeafRows, Trees


class RandomForestParams(Params, frozen=True):
    """Size of the forest and of its trees."""

    n_estimators: Trees = 200
    max_depth: Depth | None = None
    min_samples_leaf: LeafRows = 1
    max_features: FeatureShare | None = None


def build(params: RandomForestParams, seed: int, problem: str) -> BaseEstimator:
    """A forest; without ``max_features`` each split tries the field's usual share of the columns."""
    classify = problem == CLASSIFICATION
    forest = RandomForestClassifier if classify else RandomForestRegressor
    usual: str | float = "sqrt" if classify else 1.0
    return forest(
        n_estimators=params.n_estimators,
        max_depth=params.max_depth,
        min_samples_leaf=params.min_samples_leaf,
        max_features=usual if params.max_features is None else params.max_features,
        random_state=seed,
    )


ALGORITHM = Algorithm(
    key="random_forest",
    title="Random forest",
    problems=BOTH,
    params=RandomForestParams,
    build=build,
    traits=Traits(importance=True, handles_categories=True, onnx=True),
    advice="Strong without tuning on most tables; bears outliers and odd scales.",
)
