"""Clustering: rows that are alike, grouped without being told the groups."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.metrics import (
    adjusted_rand_score,
    calinski_harabasz_score,
    davies_bouldin_score,
    silhouette_samples,
)

from registry.problems.base import Comparison, Fact, Metric, Predictions, ProblemType
from registry.problems.compare import compared
from registry.problems.errors import InvalidOutcome, NotComparable, UnusableTarget

NO_CLUSTER = "no cluster"
SAMPLE_ROWS = 2000  # a silhouette looks at every pair of rows
SILHOUETTE_MARGIN = 0.05
NO_TRUTH = "A clustering has no right answer: it finds the groups by itself."


def cluster_name(number: int) -> str:
    """What people call the cluster of this number, counted from 0; -1 is none."""
    return NO_CLUSTER if number < 0 else f"cluster {number + 1}"


class Clustering(ProblemType):
    """Groups of like rows, the largest first; rows may belong to none."""

    key = "clustering"
    title = "Clustering"
    primary_metric = "silhouette"
    metrics = (
        Metric("silhouette", "Silhouette", higher_is_better=True),
        Metric("davies_bouldin", "Davies-Bouldin index", higher_is_better=False),
        Metric("calinski_harabasz", "Calinski-Harabasz index", higher_is_better=True),
        Metric("stability", "Stability (adjusted Rand)", higher_is_better=True),
    )
    facts = (Fact("clusters", "Clusters seen"), Fact("share_unassigned", "Share in no cluster"))
    needs_target = False
    takes_target = False
    watched = "label"
    outcome = None

    def check_target(self, target: "pd.Series[Any]") -> None:
        """There is none."""
        if target.notna().any():
            raise UnusableTarget(f"{NO_TRUTH} Leave the target empty.")

    def clean_target(self, target: "pd.Series[Any]") -> "pd.Series[Any]":
        """Nothing but missing values; no row is dropped."""
        return pd.Series(np.nan, index=target.index, dtype="float64")

    def score(self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions) -> dict[str, float]:
        """The indices over the answers' points; of more than 2,000 rows the silhouette takes 2,000.

        Rows in no cluster count 0 in the silhouette, as if between all clusters, and are left out of the
        other indices; else a clustering that places only the easiest rows would look best.
        """
        labels, points = predictions.values, predictions.points
        if not len(labels):
            return {}
        placed = labels != NO_CLUSTER
        found = np.unique(labels[placed])
        scores = {"clusters": float(len(found)), "share_unassigned": float(1 - placed.mean())}
        if points is None:
            return scores
        widths = silhouettes(points, labels)
        if widths is not None:
            scores["silhouette"] = float(widths.mean())
        if 2 <= len(found) < placed.sum():
            scores["davies_bouldin"] = float(davies_bouldin_score(points[placed], labels[placed]))
            scores["calinski_harabasz"] = float(calinski_harabasz_score(points[placed], labels[placed]))
        return {name: value for name, value in scores.items() if np.isfinite(value)}

    def row_scores(
        self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions
    ) -> npt.NDArray[np.float64]:
        """Each row's silhouette; of more than 2,000 rows those of a fixed 2,000. Raises NotComparable."""
        return _widths(predictions.points, predictions.values)

    def compare(
        self, y_true: Sequence[Any] | npt.NDArray[Any], candidate: Predictions, champion: Predictions
    ) -> Comparison:
        """By the silhouette, both measured on the rows as the champion sees them: one yardstick for both."""
        ours, theirs = (_widths(champion.points, one.values) for one in (candidate, champion))
        return compared("silhouette", ours, theirs, SILHOUETTE_MARGIN)

    def reliance(
        self, y_true: Sequence[Any] | npt.NDArray[Any], whole: Predictions, changed: Predictions
    ) -> float:
        """How far the groups stay the same (adjusted Rand, Hubert and Arabie 1985)."""
        return float(adjusted_rand_score(whole.values.astype(str), changed.values.astype(str)))

    def parse_outcome(self, value: object, classes: list[str] | None) -> str | float:
        """Always refused."""
        raise InvalidOutcome(f"{NO_TRUTH} So there is no outcome to report; watch its drift instead.")


def sampled(n: int) -> npt.NDArray[np.int64]:
    """The positions of at most 2,000 of n rows, the same each time, in their order."""
    if n <= SAMPLE_ROWS:
        return np.arange(n)
    return np.sort(np.random.default_rng(0).choice(n, SAMPLE_ROWS, replace=False))


def silhouettes(points: npt.NDArray[np.float64], labels: npt.NDArray[Any]) -> npt.NDArray[np.float64] | None:
    """Each sampled row's silhouette (Rousseeuw 1987), 0 for rows in no cluster.

    None where the placed rows of the sample are not in at least two clusters, or each alone in its own.
    """
    rows = sampled(len(labels))
    points, labels = points[rows], labels[rows]
    placed = labels != NO_CLUSTER
    if not 2 <= len(np.unique(labels[placed])) < placed.sum():
        return None
    widths = np.zeros(len(rows))
    widths[placed] = silhouette_samples(points[placed], labels[placed].astype(str))
    return widths


def _widths(points: npt.NDArray[np.float64] | None, labels: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    widths = None if points is None else silhouettes(points, labels)
    if widths is None:
        raise NotComparable(
            "The hold-out rows do not lie in two clusters or more, so no silhouette can be measured. "
            "Train on more data, or override with a reason."
        )
    return widths
