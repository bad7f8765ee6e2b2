"""The baseline that every real model must beat."""

from sklearn.base import BaseEstimator
from sklearn.dummy import DummyClassifier, DummyRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits


class DummyParams(Params, frozen=True):
    """None."""


def build(_params: DummyParams, seed: int, problem: str) -> BaseEstimator:
    """The most frequent class with the class shares as probabilities, or the mean."""
    if problem == CLASSIFICATION:
        return DummyClassifier(strategy="prior", random_state=seed)
    return DummyRegressor(strategy="mean")


ALGORITHM = Algorithm(
    key="dummy",
    title="Baseline (ignores the inputs)",
    problems=BOTH,
    params=DummyParams,
    build=build,
    traits=Traits(handles_missing=True, handles_categories=True, onnx=True),
    advice="Always include it: a model that does not beat it has learnt nothing.",
)
