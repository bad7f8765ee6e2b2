"""Elastic net regression."""

from sklearn.base import BaseEstimator
from sklearn.linear_model import ElasticNet

from training.algorithms.base import REGRESSION, Algorithm, Params, Traits
from training.algorithms.fields import Alpha, MixOfPenalties, Steps


class ElasticNetParams(Params, frozen=True):
    """Strength and mix of the penalties."""

    alpha: Alpha = 0.1
    l1_ratio: MixOfPenalties = 0.5
    max_iter: Steps = 5000


def build(params: ElasticNetParams, seed: int, _problem: str) -> BaseEstimator:
    """A linear model with L1 and L2 penalties."""
    return ElasticNet(
        alpha=params.alpha, l1_ratio=params.l1_ratio, max_iter=params.max_iter, random_state=seed
    )


ALGORITHM = Algorithm(
    key="elastic_net",
    title="Elastic net",
    problems=frozenset({REGRESSION}),
    params=ElasticNetParams,
    build=build,
    traits=Traits(importance=True, scale=True, onnx=True),
    advice="Between ridge and lasso: drops useless columns, yet keeps groups that say the same together.",
)
