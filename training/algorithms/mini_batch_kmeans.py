"""k-means on small batches."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.cluster import MiniBatchKMeans

from training.algorithms.base import CLUSTERING, Algorithm, Params, Traits
from training.algorithms.fields import Clusters
from training.algorithms.unsupervised import Assigned

BatchRows = Annotated[int, Meta(ge=10, le=100_000, description="Rows looked at in each step.")]


class MiniBatchKMeansParams(Params, frozen=True):
    """How many clusters, and how many rows at a time."""

    n_clusters: Clusters | None = None
    batch_size: BatchRows = 1024


def build(params: MiniBatchKMeansParams, seed: int, problem: str) -> BaseEstimator:
    """k-means by steps on random batches (Sculley 2010)."""
    means = MiniBatchKMeans(batch_size=params.batch_size, n_init=3, random_state=seed)
    means.set_params(n_clusters=params.n_clusters)
    return Assigned(means, "centre", random_state=seed)


ALGORITHM = Algorithm(
    key="mini_batch_kmeans",
    title="k-means on small batches",
    problems=frozenset({CLUSTERING}),
    params=MiniBatchKMeansParams,
    build=build,
    traits=Traits(probabilities=False, scale=True, onnx=True),
    advice="k-means for hundreds of thousands of rows: nearly the same groups in a fraction of the time.",
)
