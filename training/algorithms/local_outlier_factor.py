"""Local outlier factor."""

from sklearn.base import BaseEstimator

from training.algorithms.base import ANOMALY, Algorithm, Params, Traits
from training.algorithms.fields import Contamination, FlagAbove, Neighbours
from training.algorithms.unsupervised import Detector, LocalDensity

MAX_ROWS = 20_000


class LocalOutlierFactorParams(Params, frozen=True):
    """Size of the neighbourhood, and what is flagged."""

    n_neighbors: Neighbours = 20
    contamination: Contamination = 0.05
    threshold: FlagAbove | None = None


def build(params: LocalOutlierFactorParams, seed: int, problem: str) -> BaseEstimator:
    """Density against the neighbours' density, learnt from at most 20,000 rows."""
    return Detector(
        LocalDensity(params.n_neighbors),
        params.contamination,
        params.threshold,
        max_rows=MAX_ROWS,
        random_state=seed,
    )


ALGORITHM = Algorithm(
    key="local_outlier_factor",
    title="Local outlier factor",
    problems=frozenset({ANOMALY}),
    params=LocalOutlierFactorParams,
    build=build,
    traits=Traits(probabilities=False, scale=True),
    advice="Where normal rows form groups of different density; it learns from at most 20,000 rows.",
)
