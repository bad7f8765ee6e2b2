"""Nearest neighbours."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits


class KnnParams(Params, frozen=True):
    """How many neighbours are asked, and how they vote."""

    n_neighbors: Annotated[
        int,
        Meta(
            ge=1,
            le=1000,
            description="Number of most similar training rows asked.",
            extra={"search": {"low": 1, "high": 50, "log": True}},
        ),
    ] = 5
    weights: Annotated[
        Literal["uniform", "distance"],
        Meta(
            description="Whether nearer rows count more.",
            extra={"search": {"choices": ["uniform", "distance"]}},
        ),
    ] = "uniform"


def build(params: KnnParams, _seed: int, problem: str) -> BaseEstimator:
    """Votes or averages of the nearest rows."""
    neighbours = KNeighborsClassifier if problem == CLASSIFICATION else KNeighborsRegressor
    return neighbours(n_neighbors=params.n_neighbors, weights=params.weights)


ALGORITHM = Algorithm(
    key="knn",
    title="Nearest neighbours",
    problems=BOTH,
    params=KnnParams,
    build=build,
    traits=Traits(scale=True),
    advice="For few rows and few columns where similar means alike; slow to ask on large tables.",
)
