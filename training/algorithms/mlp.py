"""A small neural network."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import SmallAlpha


class MlpParams(Params, frozen=True):
    """Size of the network and pace of its learning."""

    units: Annotated[
        int,
        Meta(
            ge=1,
            le=2048,
            description="Neurons in each hidden layer.",
            extra={"search": {"low": 16, "high": 256, "log": True}},
        ),
    ] = 64
    layers: Annotated[
        int,
        Meta(
            ge=1,
            le=8,
            description="Hidden layers.",
            extra={"search": {"low": 1, "high": 3, "log": False}},
        ),
    ] = 2
    alpha: SmallAlpha = 1e-4
    learning_rate_init: Annotated[
        float,
        Meta(
            ge=1e-6,
            le=1,
            description="Length of the first steps.",
            extra={"search": {"low": 1e-4, "high": 1e-2, "log": True}},
        ),
    ] = 1e-3
    max_iter: Annotated[int, Meta(ge=1, le=5000, description="Most passes over the rows.")] = 300


def build(params: MlpParams, seed: int, problem: str) -> BaseEstimator:
    """Fully connected layers trained with Adam."""
    network = MLPClassifier if problem == CLASSIFICATION else MLPRegressor
    built = network(
        hidden_layer_sizes=(params.units,) * params.layers,
        alpha=params.alpha,
        learning_rate_init=params.learning_rate_init,
        max_iter=params.max_iter,
        random_state=seed,
    )
    # Targets in the thousands would take the network more passes to reach than it is given.
    return (
        built
        if problem == CLASSIFICATION
        else TransformedTargetRegressor(built, transformer=StandardScaler())
    )


ALGORITHM = Algorithm(
    key="mlp",
    title="Neural network",
    problems=BOTH,
    params=MlpParams,
    build=build,
    traits=Traits(incremental=True, scale=True, onnx=True),
    advice="Where smooth mixtures of numeric columns matter; trees are the better first try on tables.",
)
