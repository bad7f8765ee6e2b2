"""Isolation forest."""

from typing import Annotated, Any, Self

import numpy as np
from msgspec import Meta
from sklearn.base import BaseEstimator
from sklearn.ensemble import IsolationForest

from training.algorithms.base import ANOMALY, Algorithm, Params, Traits
from training.algorithms.fields import Contamination, FlagAbove, Trees
from training.algorithms.unsupervised import Detector

RowsOfATree = Annotated[
    int,
    Meta(
        ge=2,
        le=100_000,
        description="Rows that each tree sees; few are enough, and keep it fast.",
        extra={"search": {"low": 64, "high": 1024, "log": True}},
    ),
]
ColumnShare = Annotated[
    float,
    Meta(
        gt=0,
        le=1,
        description="Share of the columns that each tree sees.",
        extra={"search": {"low": 0.4, "high": 1.0, "log": False}},
    ),
]


class IsolationForestParams(Params, frozen=True):
    """Size of the forest, and what is flagged."""

    n_estimators: Trees = 100
    max_samples: RowsOfATree = 256
    max_features: ColumnShare = 1.0
    contamination: Contamination = 0.05
    threshold: FlagAbove | None = None


class SmallSampleForest(IsolationForest):
    """An isolation forest whose trees see all rows where there are fewer than asked for."""

    def fit(self, X: Any, y: Any = None, sample_weight: Any = None) -> Self:
        """Fit on X (n, d)."""
        asked: Any = self.max_samples  # type: ignore[has-type]  # scikit-learn is not typed
        try:
            self.max_samples = min(asked, np.shape(X)[0]) if isinstance(asked, int) else asked
            super().fit(X, y, sample_weight)
        finally:
            self.max_samples = asked
        return self


def build(params: IsolationForestParams, seed: int, problem: str) -> BaseEstimator:
    """A forest of random cuts (Liu, Ting and Zhou 2008): what few cuts isolate is unusual."""
    forest = SmallSampleForest(
        n_estimators=params.n_estimators,
        max_samples=params.max_samples,
        max_features=params.max_features,
        random_state=seed,
    )
    return Detector(forest, params.contamination, params.threshold)


ALGORITHM = Algorithm(
    key="isolation_forest",
    title="Isolation forest",
    problems=frozenset({ANOMALY}),
    params=IsolationForestParams,
    build=build,
    traits=Traits(probabilities=False, handles_categories=True, onnx=True),
    advice="The first to try for unusual rows: fast on any number of rows, and hardly needs tuning.",
)
