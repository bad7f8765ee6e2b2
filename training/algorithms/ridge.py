"""Ridge regression."""

from sklearn.base import BaseEstimator
from sklearn.linear_model import Ridge

from training.algorithms.base import REGRESSION, Algorithm, Params, Traits
from training.algorithms.fields import Alpha


class RidgeParams(Params, frozen=True):
    """Strength of the penalty."""

    alpha: Alpha = 1.0


def build(params: RidgeParams, seed: int, _problem: str) -> BaseEstimator:
    """A linear model with an L2 penalty."""
    return Ridge(alpha=params.alpha, random_state=seed)


ALGORITHM = Algorithm(
    key="ridge",
    title="Ridge regression",
    problems=frozenset({REGRESSION}),
    params=RidgeParams,
    build=build,
    traits=Traits(importance=True, scale=True, onnx=True),
    advice="Start here: fast, steady where columns say nearly the same, and easy to explain.",
)
