"""Logistic regression by gradient descent: the platform's own reference implementation."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator

from training.algorithms.base import CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import InversePenalty, MixOfPenalties, Steps
from training.algorithms.reference import GradientDescentLogisticRegression


class ReferenceLogisticRegressionParams(Params, frozen=True):
    """Penalty, steps and where to stop."""

    C: InversePenalty = 1.0
    l1_ratio: MixOfPenalties = 0.0
    normalize: Annotated[bool, Meta(description="Bring inputs to mean 0 and deviation 1 first.")] = True
    learning_rate: (
        Annotated[float, Meta(gt=0, le=1e3, description="Length of a step; empty for the longest safe one.")]
        | None
    ) = None
    max_iter: Steps = 5000
    tol: Annotated[float, Meta(ge=0, le=1, description="Stop when a step lowers the cost by less.")] = 1e-6
    early_stopping: Annotated[
        bool, Meta(description="Keep a tenth of the rows aside and stop when their loss no longer falls.")
    ] = False


def build(params: ReferenceLogisticRegressionParams, seed: int, _problem: str) -> BaseEstimator:
    """Proximal gradient descent on the logistic loss."""
    settings = {name: getattr(params, name) for name in params.__struct_fields__}
    return GradientDescentLogisticRegression(**settings, random_state=seed)


ALGORITHM = Algorithm(
    key="reference_logistic_regression",
    title="Logistic regression, reference",
    problems=frozenset({CLASSIFICATION}),
    params=ReferenceLogisticRegressionParams,
    build=build,
    traits=Traits(importance=True, onnx=True),
    advice="To learn from, and to check scikit-learn's against; slower, with the same answers.",
)
