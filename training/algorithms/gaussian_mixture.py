"""Gaussian mixture."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator

from training.algorithms.base import CLUSTERING, Algorithm, Params, Traits
from training.algorithms.fields import Clusters
from training.algorithms.unsupervised import Mixture


class GaussianMixtureParams(Params, frozen=True):
    """How many clouds, and what shapes they may have."""

    n_components: Clusters | None = None
    covariance_type: Annotated[
        Literal["full", "tied", "diag", "spherical"],
        Meta(
            description="Shape of the clouds: full may tilt, diag follows the columns, spherical is round.",
            extra={"search": {"choices": ["diag", "full", "spherical"]}},
        ),
    ] = "diag"
    reg_covar: Annotated[
        float, Meta(gt=0, le=1, description="Added to variances, so that no cloud shrinks onto a point.")
    ] = 1e-3


def build(params: GaussianMixtureParams, seed: int, problem: str) -> BaseEstimator:
    """Normal distributions by expectation maximisation (Dempster, Laird and Rubin 1977)."""
    return Mixture(params.n_components, params.covariance_type, params.reg_covar, random_state=seed)


ALGORITHM = Algorithm(
    key="gaussian_mixture",
    title="Gaussian mixture",
    problems=frozenset({CLUSTERING}),
    params=GaussianMixtureParams,
    build=build,
    traits=Traits(probabilities=True, scale=True, onnx=True),
    advice="Where groups overlap: each row gets the probability of each group.",
)
