"""DBSCAN."""

from typing import Annotated

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.cluster import DBSCAN

from training.algorithms.base import CLUSTERING, Algorithm, Params, Traits
from training.algorithms.fields import DenseRows
from training.algorithms.unsupervised import Assigned

MAX_ROWS = 10_000

Eps = Annotated[
    float, Meta(gt=0, le=1e6, description="How near neighbours are, in scaled units; none: see reach.")
]
Reach = Annotated[
    float,
    Meta(
        ge=0.1,
        le=0.999,
        description="Without eps: the share of the rows that are to have min_samples neighbours within it.",
        extra={"search": {"low": 0.5, "high": 0.98, "log": False}},
    ),
]


class DbscanParams(Params, frozen=True):
    """What counts as dense."""

    eps: Eps | None = None
    reach: Reach = 0.9
    min_samples: DenseRows = 5


def build(params: DbscanParams, seed: int, problem: str) -> BaseEstimator:
    """Density-connected rows (Ester et al. 1996).

    A new row joins the cluster of the nearest core point within eps, else none.
    """
    dense = DBSCAN(min_samples=params.min_samples)
    dense.set_params(eps=params.eps)
    return Assigned(dense, "core", params.reach, max_rows=MAX_ROWS, random_state=seed)


ALGORITHM = Algorithm(
    key="dbscan",
    title="DBSCAN",
    problems=frozenset({CLUSTERING}),
    params=DbscanParams,
    build=build,
    traits=Traits(probabilities=False, scale=True, onnx=True),
    advice="For groups of any shape, with rows that belong to none; at most 10,000 rows are learnt from. "
    "A new row joins the group of the nearest core row within reach.",
)
