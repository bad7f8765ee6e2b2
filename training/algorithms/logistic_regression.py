"""Logistic regression."""

from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from training.algorithms.base import CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import ClassWeight, InversePenalty, Steps


class LogisticRegressionParams(Params, frozen=True):
    """Penalty and weights."""

    C: InversePenalty = 1.0
    class_weight: ClassWeight = None
    max_iter: Steps = 1000


def build(params: LogisticRegressionParams, seed: int, _problem: str) -> BaseEstimator:
    """Multinomial logistic regression with an L2 penalty."""
    return LogisticRegression(
        C=params.C, class_weight=params.class_weight, max_iter=params.max_iter, random_state=seed
    )


ALGORITHM = Algorithm(
    key="logistic_regression",
    title="Logistic regression",
    problems=frozenset({CLASSIFICATION}),
    params=LogisticRegressionParams,
    build=build,
    traits=Traits(importance=True, scale=True, onnx=True),
    advice="Start here: fast, well calibrated, easy to explain, and hard to beat on few rows.",
)
