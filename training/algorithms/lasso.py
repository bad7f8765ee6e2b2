"""Lasso regression."""

from sklearn.base import BaseEstimator
from sklearn.linear_model import Lasso

from training.algorithms.base import REGRESSION, Algorithm, Params, Traits
from training.algorithms.fields import Alpha, Steps


class LassoParams(Params, frozen=True):
    """Strength of the penalty."""

    alpha: Alpha = 0.1
    max_iter: Steps = 5000


def build(params: LassoParams, seed: int, _problem: str) -> BaseEstimator:
    """A linear model with an L1 penalty."""
    return Lasso(alpha=params.alpha, max_iter=params.max_iter, random_state=seed)


ALGORITHM = Algorithm(
    key="lasso",
    title="Lasso regression",
    problems=frozenset({REGRESSION}),
    params=LassoParams,
    build=build,
    traits=Traits(importance=True, scale=True, onnx=True),
    advice="For many columns of which few matter: it leaves the others out.",
)
