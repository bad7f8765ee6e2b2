"""Elliptic envelope: robust distance from the bulk."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator

from training.algorithms.base import ANOMALY, Algorithm, Params, Traits
from training.algorithms.fields import Contamination, FlagAbove
from training.algorithms.unsupervised import Detector, RobustDistance

BulkShare = Annotated[
    float,
    Meta(
        ge=0.5,
        le=1,
        description="Share of the rows that make the bulk; none: about one half.",
        extra={"search": {"low": 0.5, "high": 1.0, "log": False}},
    ),
]


class EllipticEnvelopeParams(Params, frozen=True):
    """What counts as the bulk, and what is flagged."""

    support_fraction: BulkShare | None = None
    contamination: Contamination = 0.05
    threshold: FlagAbove | None = None


def build(params: EllipticEnvelopeParams, seed: int, problem: str) -> BaseEstimator:
    """Mahalanobis distance by the minimum covariance determinant."""
    return Detector(
        RobustDistance(params.support_fraction, random_state=seed), params.contamination, params.threshold
    )


ALGORITHM = Algorithm(
    key="elliptic_envelope",
    title="Elliptic envelope (robust covariance)",
    problems=frozenset({ANOMALY}),
    params=EllipticEnvelopeParams,
    build=build,
    traits=Traits(probabilities=False, scale=True),
    advice="Where normal rows make one cloud of measurements that rise and fall together.",
)
