"""A single decision tree."""

from sklearn.base import BaseEstimator
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import Depth, LeafRows


class DecisionTreeParams(Params, frozen=True):
    """Size of the tree."""

    max_depth: Depth | None = 6
    min_samples_leaf: LeafRows = 5


def build(params: DecisionTreeParams, seed: int, problem: str) -> BaseEstimator:
    """One tree (CART)."""
    tree = DecisionTreeClassifier if problem == CLASSIFICATION else DecisionTreeRegressor
    return tree(max_depth=params.max_depth, min_samples_leaf=params.min_samples_leaf, random_state=seed)


ALGORITHM = Algorithm(
    key="decision_tree",
    title="Decision tree",
    problems=BOTH,
    params=DecisionTreeParams,
    build=build,
    traits=Traits(importance=True, handles_categories=True, onnx=True),
    advice="Where the rules must fit on a page; a forest is nearly always more accurate.",
)
