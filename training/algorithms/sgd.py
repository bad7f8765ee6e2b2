"""Linear models fitted row by row."""

from sklearn.base import BaseEstimator
from sklearn.linear_model import SGDClassifier, SGDRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import ClassWeight, MixOfPenalties, SmallAlpha, Steps


class SgdParams(Params, frozen=True):
    """Penalty and passes."""

    alpha: SmallAlpha = 1e-4
    l1_ratio: MixOfPenalties = 0.15
    max_iter: Steps = 1000
    class_weight: ClassWeight = None


def build(params: SgdParams, seed: int, problem: str) -> BaseEstimator:
    """Logistic or least-squares regression by stochastic gradient descent; weights are for classes only."""
    shared = {
        "penalty": "elasticnet",
        "alpha": params.alpha,
        "l1_ratio": params.l1_ratio,
        "max_iter": params.max_iter,
        "random_state": seed,
    }
    if problem == CLASSIFICATION:
        return SGDClassifier(loss="log_loss", class_weight=params.class_weight, **shared)
    return SGDRegressor(**shared)


ALGORITHM = Algorithm(
    key="sgd",
    title="Linear model by stochastic gradient descent",
    problems=BOTH,
    params=SgdParams,
    build=build,
    traits=Traits(importance=True, incremental=True, scale=True, onnx=True),
    advice="For millions of rows, or where the model is to learn on from each day's new ones.",
)
