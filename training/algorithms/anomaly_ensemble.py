"""Several anomaly detectors at once."""

from typing import Annotated, Literal

from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.svm import OneClassSVM

from training.algorithms.base import ANOMALY, Algorithm, Params, Traits
from training.algorithms.fields import Contamination, FlagAbove, Neighbours, Trees
from training.algorithms.isolation_forest import SmallSampleForest
from training.algorithms.unsupervised import Detector, DetectorEnsemble, LocalDensity, RobustDistance

MAX_ROWS = 5000
ROWS_OF_A_TREE = 256


class AnomalyEnsembleParams(Params, frozen=True):
    """How the members' scores are combined, their sizes, and what is flagged."""

    combine: Annotated[
        Literal["rank", "scale"],
        Meta(
            description="Average of ranks, steady, or of scaled scores, where an extreme one counts more.",
            extra={"search": {"choices": ["rank", "scale"]}},
        ),
    ] = "rank"
    n_estimators: Trees = 100
    n_neighbors: Neighbours = 20
    contamination: Contamination = 0.05
    threshold: FlagAbove | None = None


def build(params: AnomalyEnsembleParams, seed: int, problem: str) -> BaseEstimator:
    """Isolation forest, local outlier factor, robust distance and one-class SVM, their scores averaged."""
    members = [
        SmallSampleForest(n_estimators=params.n_estimators, max_samples=ROWS_OF_A_TREE, random_state=seed),
        LocalDensity(params.n_neighbors),
        RobustDistance(random_state=seed),
        OneClassSVM(nu=0.05),
    ]
    ensemble = DetectorEnsemble(members, params.combine)
    return Detector(ensemble, params.contamination, params.threshold, max_rows=MAX_ROWS, random_state=seed)


ALGORITHM = Algorithm(
    key="anomaly_ensemble",
    title="Ensemble of anomaly detectors",
    problems=frozenset({ANOMALY}),
    params=AnomalyEnsembleParams,
    build=build,
    traits=Traits(probabilities=False, scale=True),
    advice="Where no labels say which detector is right: four that err differently; at most 5,000 rows.",
)
