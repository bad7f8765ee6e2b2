"""k-means."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.cluster import KMeans

from training.algorithms.base import CLUSTERING, Algorithm, Params, Traits
from training.algorithms.fields import Clusters
from training.algorithms.unsupervised import Assigned

Starts = Annotated[int, Meta(ge=1, le=100, description="Fresh starts, of which the best is kept.")]


class KMeansParams(Params, frozen=True):
    """How many clusters, and how hard to look for them."""

    n_clusters: Clusters | None = None
    n_init: Starts = 5


def build(params: KMeansParams, seed: int, problem: str) -> BaseEstimator:
    """Each row to the nearest of k means (Lloyd 1982), well-spread starts (Arthur and Vassilvitskii 2007)."""
    means = KMeans(n_init=params.n_init, random_state=seed)
    means.set_params(n_clusters=params.n_clusters)
    return Assigned(means, "centre", random_state=seed)


ALGORITHM = Algorithm(
    key="kmeans",
    title="k-means",
    problems=frozenset({CLUSTERING}),
    params=KMeansParams,
    build=build,
    traits=Traits(probabilities=False, scale=True, onnx=True),
    advice="The first to try for groups: quick, and each group is described by its average row.",
)
