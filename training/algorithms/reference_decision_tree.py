"""A decision tree: the platform's own reference implementation."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator

from training.algorithms.base import CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import Depth, LeafRows
from training.algorithms.reference import ReferenceDecisionTree


class ReferenceDecisionTreeParams(Params, frozen=True):
    """How splits are chosen, and where the tree ends."""

    criterion: Annotated[
        Literal["gini", "entropy"],
        Meta(
            description="What a split is to lower: the chance that two rows differ, or the bits of a row.",
            extra={"search": {"choices": ["gini", "entropy"]}},
        ),
    ] = "gini"
    max_depth: Depth | None = 6
    min_samples_leaf: LeafRows = 5
    ccp_alpha: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="What a leaf costs: branches that bring less are pruned.",
            extra={"search": {"low": 1e-5, "high": 1e-1, "log": True}},
        ),
    ] = 0.0


def build(params: ReferenceDecisionTreeParams, _seed: int, _problem: str) -> BaseEstimator:
    """One classification tree (CART), pruned by cost and complexity."""
    return ReferenceDecisionTree(**{name: getattr(params, name) for name in params.__struct_fields__})


ALGORITHM = Algorithm(
    key="reference_decision_tree",
    title="Decision tree, reference",
    problems=frozenset({CLASSIFICATION}),
    params=ReferenceDecisionTreeParams,
    build=build,
    traits=Traits(importance=True, handles_categories=True, onnx=True),
    advice="To learn from, and to check scikit-learn's against; slower, with the same answers.",
)
