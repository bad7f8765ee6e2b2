"""Support vector machine."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR

from training.algorithms.base import BOTH, CLASSIFICATION, Algorithm, Params, Traits
from training.algorithms.fields import ClassWeight, InversePenalty
from training.algorithms.margins import MarginProbabilities


class SvmParams(Params, frozen=True):
    """Shape and softness of the boundary."""

    C: InversePenalty = 1.0
    kernel: Annotated[
        Literal["rbf", "linear"],
        Meta(
            description="'rbf' draws curved boundaries, 'linear' straight ones.",
            extra={"search": {"choices": ["rbf", "linear"]}},
        ),
    ] = "rbf"
    class_weight: ClassWeight = None


def build(params: SvmParams, seed: int, problem: str) -> BaseEstimator:
    """Support vectors; a classifier's margins become probabilities on three folds of its rows."""
    if problem == CLASSIFICATION:
        machine = SVC(C=params.C, kernel=params.kernel, class_weight=params.class_weight, random_state=seed)
        return MarginProbabilities(machine, seed)
    # The width of the tube and the penalty are in the target's unit: one scale makes them mean the same.
    return TransformedTargetRegressor(SVR(C=params.C, kernel=params.kernel), transformer=StandardScaler())


ALGORITHM = Algorithm(
    key="svm",
    title="Support vector machine",
    problems=BOTH,
    params=SvmParams,
    build=build,
    traits=Traits(scale=True, onnx=True),
    advice="For up to some ten thousand rows with many columns; its time grows with the square of the rows.",
)
