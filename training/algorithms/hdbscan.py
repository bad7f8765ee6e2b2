"""HDBSCAN."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.cluster import HDBSCAN

from training.algorithms.base import CLUSTERING, Algorithm, Params, Traits
from training.algorithms.fields import DenseRows
from training.algorithms.unsupervised import Assigned

MAX_ROWS = 10_000

SmallestCluster = Annotated[
    int,
    Meta(
        ge=2,
        le=10_000,
        description="Fewest rows that make a cluster.",
        extra={"search": {"low": 5, "high": 100, "log": True}},
    ),
]


class HdbscanParams(Params, frozen=True):
    """What counts as a cluster, and as dense."""

    min_cluster_size: SmallestCluster = 15
    min_samples: DenseRows | None = None


def build(params: HdbscanParams, seed: int, problem: str) -> BaseEstimator:
    """Clusters that persist over densities (Campello, Moulavi and Sander 2013).

    A new row joins the cluster of the nearest member, where it lies within that member's core distance.
    """
    dense = HDBSCAN(min_cluster_size=params.min_cluster_size, min_samples=params.min_samples, copy=True)
    return Assigned(dense, "core", max_rows=MAX_ROWS, random_state=seed)


ALGORITHM = Algorithm(
    key="hdbscan",
    title="HDBSCAN",
    problems=frozenset({CLUSTERING}),
    params=HdbscanParams,
    build=build,
    traits=Traits(probabilities=False, scale=True, onnx=True),
    advice="Like DBSCAN for groups of different density, and finds their number by itself; at most 10,000 "
    "rows are learnt from.",
)
