"""Extra trees."""

from sklearn.base import BaseEstimator
from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import Depth, FeatureShare, LeafRows, Trees


class ExtraTreesParams(Params, frozen=True):
    """Size of the forest and of its trees."""

    n_estimators: Trees = 200
    max_depth: Depth | None = None
    min_samples_leaf: LeafRows = 1
    max_features: FeatureShare | None = None


def build(params: ExtraTreesParams, seed: int, problem: str) -> BaseEstimator:
    """A forest; without ``max_features`` each split tries the field's usual share of the columns."""
    classify = problem == CLASSIFICATION
    forest = ExtraTreesClassifier if classify else ExtraTreesRegressor
    usual: str | float = "sqrt" if classify else 1.0
    return forest(
        n_estimators=params.n_estimators,
        max_depth=params.max_depth,
        min_samples_leaf=params.min_samples_leaf,
        max_features=usual if params.max_features is None else params.max_features,
        random_state=seed,
    )


ALGORITHM = Algorithm(
    key="extra_trees",
    title="Extra trees",
    problems=BOTH,
    params=ExtraTreesParams,
    build=build,
    traits=Traits(importance=True, handles_categories=True, onnx=True),
    advice="Like a random forest with random cuts: faster to fit, often as good on noisy data.",
)
