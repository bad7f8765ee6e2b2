"""Ridge regression."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from training.algorithms.base import REGRESSION, Algorithm, Params, Traits


class RidgeParams(Params, frozen=True):
    """Strength of the penalty."""

    alpha: Annotated[
        float,
        Meta(
            ge=1e-6,
            le=1e6,
            description="Penalty on large coefficients: larger is simpler.",
            extra={"search": {"low": 1e-3, "high": 1e3, "log": True}},
        ),
    ] = 1.0


def build(params: RidgeParams, seed: int, _problem: str) -> BaseEstimator:
    """A linear model with an L2 penalty."""
    return Ridge(alpha=params.alpha, random_state=seed)


ALGORITHM = Algorithm(
    key="ridge",
    title="Ridge regression",
    problems=frozenset({REGRESSION}),
    params=RidgeParams,
    build=build,
    traits=Traits(importance=True, scale=True),
    advice="Start here: fast, steady where columns say nearly the same, and easy to explain.",
)
