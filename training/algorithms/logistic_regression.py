"""Logistic regression."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.linear_model import LogisticRegression

from training.algorithms.base import CLASSIFICATION, Algorithm, Params, Traits


class LogisticRegressionParams(Params, frozen=True):
    """Penalty and weights."""

    C: Annotated[
        float,
        Meta(
            ge=1e-6,
            le=1e6,
            description="Inverse of the penalty: smaller is simpler.",
            extra={"search": {"low": 1e-3, "high": 1e3, "log": True}},
        ),
    ] = 1.0
    class_weight: Annotated[
        Literal["balanced"] | None,
        Meta(
            description="'balanced' makes a rare class count as much as a frequent one.",
            extra={"search": {"choices": [None, "balanced"]}},
        ),
    ] = None
    max_iter: Annotated[int, Meta(ge=1, le=20_000, description="Most steps of the solver.")] = 1000


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
    traits=Traits(importance=True, scale=True),
    advice="Start here: fast, well calibrated, easy to explain, and hard to beat on few rows.",
)
