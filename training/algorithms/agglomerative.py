"""Agglomerative clustering."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.cluster import AgglomerativeClustering

from training.algorithms.base import CLUSTERING, Algorithm, Params, Traits
from training.algorithms.fields import Clusters
from training.algorithms.unsupervised import Assigned

MAX_ROWS = 4000  # every pair of rows is looked at


class AgglomerativeParams(Params, frozen=True):
    """How many clusters, and which are joined first."""

    n_clusters: Clusters | None = None
    linkage: Annotated[
        Literal["ward", "complete", "average", "single"],
        Meta(
            description="What makes two clusters near: ward joins those that stay compact.",
            extra={"search": {"choices": ["ward", "average", "complete"]}},
        ),
    ] = "ward"


def build(params: AgglomerativeParams, seed: int, problem: str) -> BaseEstimator:
    """Joins the nearest clusters step by step (Ward 1963); a new row belongs to the nearest mean."""
    joined = AgglomerativeClustering(linkage=params.linkage)
    joined.set_params(n_clusters=params.n_clusters)
    return Assigned(joined, "centre", max_rows=MAX_ROWS, random_state=seed)


ALGORITHM = Algorithm(
    key="agglomerative",
    title="Agglomerative clustering",
    problems=frozenset({CLUSTERING}),
    params=AgglomerativeParams,
    build=build,
    traits=Traits(probabilities=False, scale=True, onnx=True),
    advice="For groups within groups on few rows: at most 4,000 are learnt from; a new row joins the "
    "nearest group's average.",
)
