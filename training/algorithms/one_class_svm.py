"""One-class support vector machine."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.svm import OneClassSVM

from training.algorithms.base import ANOMALY, Algorithm, Params, Traits
from training.algorithms.fields import Contamination, FlagAbove
from training.algorithms.unsupervised import Detector

MAX_ROWS = 5000

OutsideShare = Annotated[
    float,
    Meta(
        gt=0,
        le=0.5,
        description="Share of the training rows that may lie outside the boundary.",
        extra={"search": {"low": 0.01, "high": 0.3, "log": True}},
    ),
]
Width = Annotated[
    float,
    Meta(
        ge=1e-6,
        le=1e3,
        description="How closely the boundary follows single rows; none: by the columns' spread.",
        extra={"search": {"low": 1e-3, "high": 1.0, "log": True}},
    ),
]


class OneClassSvmParams(Params, frozen=True):
    """Shape of the boundary, and what is flagged."""

    nu: OutsideShare = 0.05
    kernel: Annotated[
        Literal["rbf", "linear", "sigmoid"], Meta(description="Form of the boundary: rbf bends.")
    ] = "rbf"
    gamma: Width | None = None
    contamination: Contamination = 0.05
    threshold: FlagAbove | None = None


def build(params: OneClassSvmParams, seed: int, problem: str) -> BaseEstimator:
    """A boundary around the bulk (Scholkopf et al. 2001), learnt from at most 5,000 rows."""
    gamma: float | str = "scale" if params.gamma is None else params.gamma
    boundary = OneClassSVM(nu=params.nu, kernel=params.kernel, gamma=gamma)
    return Detector(boundary, params.contamination, params.threshold, max_rows=MAX_ROWS, random_state=seed)


ALGORITHM = Algorithm(
    key="one_class_svm",
    title="One-class support vector machine",
    problems=frozenset({ANOMALY}),
    params=OneClassSvmParams,
    build=build,
    traits=Traits(probabilities=False, scale=True, onnx=True),
    advice="Where normal rows fill one smooth region; it learns from at most 5,000 rows drawn at random.",
)
