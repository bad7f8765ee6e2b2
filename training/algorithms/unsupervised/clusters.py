"""Clusterings that can place rows which they have not seen."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin, clone
from sklearn.metrics import silhouette_score
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]

NOISE = -1
COUNTS = range(2, 11)
TRIED_ROWS = 1000


class Assigned(ClusterMixin, BaseEstimator):
    """Any clustering, with a stated rule for new rows; clusters are numbered from 0, the largest first.

    The rules:

    * "centre": a row belongs to the cluster whose mean is nearest (k-means; agglomerative).
    * "core": a row belongs to the cluster of the nearest core point where it lies within that point's reach,
      else to none (-1). DBSCAN's own reach is eps (Ester et al. 1996); where the clustering has none, as
      HDBSCAN, every member of a cluster is a core point and reaches as far as its ``min_samples``-th
      neighbour, its core distance (Campello et al. 2013).

    Rows that were learnt from are placed by the same rule, so an answer never hangs on who asks.

    Args:
        estimator: the inner clustering, unfitted. Where its ``n_clusters`` is None, the number from 2 to 10
            with the highest silhouette (Rousseeuw 1987) on at most 1,000 rows is taken. Where its ``eps`` is
            None, ``reach`` chooses it.
        rule: "centre" or "core".
        reach: the share of the rows that have ``min_samples`` neighbours within eps.
        max_rows: learn from at most so many rows, drawn at random; None for all.
        random_state: for the draws.
    """

    def __init__(
        self,
        estimator: Any,
        rule: str = "centre",
        reach: float = 0.9,
        max_rows: int | None = None,
        random_state: int | None = None,
    ) -> None:
        self.estimator = estimator
        self.rule = rule
        self.reach = reach
        self.max_rows = max_rows
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit on X (n, d); ``labels_`` (n,) are the placed rows' clusters."""
        X = validate_data(self, X, ensure_min_samples=2)
        learnt = X[drawn(len(X), self.max_rows, self.random_state)]
        self.estimator_ = self._chosen(learnt)
        labels = np.asarray(self.estimator_.fit_predict(learnt))
        self._anchor(learnt, labels)
        self.index_ = NearestNeighbors(n_neighbors=1).fit(self.anchors_) if len(self.anchors_) else None
        self._number(X)
        return self

    def assign(self, X: Any) -> tuple[Labels, Floats]:
        """Each row's cluster, -1 for none, and its distance to the nearest centre or core point, both (n,).

        Without a single cluster every distance is 0.
        """
        check_is_fitted(self)
        X = validate_data(self, X, reset=False)
        if self.index_ is None:
            return np.full(len(X), NOISE), np.zeros(len(X))
        distances, nearest = self.index_.kneighbors(X)
        place, away = nearest[:, 0], distances[:, 0]
        # A hair's breadth for distances that were computed in another order of additions.
        within = away <= self.reaches_[place] * (1 + 1e-9)
        return np.where(within, self.anchor_labels_[place], NOISE), away

    def predict(self, X: Any) -> Labels:
        """Each row's cluster, -1 for none, (n,)."""
        return self.assign(X)[0]

    def _chosen(self, X: Floats) -> Any:
        chosen = clone(self.estimator)
        params = chosen.get_params()
        if "n_clusters" in params and params["n_clusters"] is None:
            chosen.set_params(n_clusters=best_count(chosen, X, self.random_state))
        if "eps" in params and params["eps"] is None:
            away = core_distances(X, params["min_samples"])
            chosen.set_params(eps=max(float(np.quantile(away, self.reach)), 1e-9))
        return chosen

    def _anchor(self, X: Floats, labels: Labels) -> None:
        if self.rule == "centre":
            found = [label for label in np.unique(labels) if label != NOISE]
            self.anchors_ = np.array([X[labels == label].mean(axis=0) for label in found])
            self.anchor_labels_, self.reaches_ = np.arange(len(found)), np.full(len(found), np.inf)
            return
        core = labels != NOISE
        indices = getattr(self.estimator_, "core_sample_indices_", None)
        if indices is None:
            reaches = core_distances(X, self.estimator_.min_samples or self.estimator_.min_cluster_size)
        else:
            core, reaches = np.isin(np.arange(len(X)), indices), np.full(len(X), self.estimator_.eps)
        self.anchors_, self.anchor_labels_, self.reaches_ = X[core], labels[core], reaches[core]

    def _number(self, X: Floats) -> None:
        """Number the clusters that hold a row, the largest first."""
        labels = self.assign(X)[0]
        sizes = np.bincount(labels[labels != NOISE], minlength=int(self.anchor_labels_.max(initial=-1)) + 1)
        order = np.argsort(-sizes, kind="stable")
        places = np.empty(len(order), dtype="int64")
        places[order] = np.arange(len(order))
        self.anchor_labels_ = places[self.anchor_labels_] if len(order) else self.anchor_labels_
        self.n_clusters_ = int((sizes > 0).sum())
        self.labels_ = np.where(labels == NOISE, NOISE, places[labels]) if len(order) else labels


def drawn(n: int, most: int | None, seed: int | None) -> npt.NDArray[np.int64]:
    """The positions of at most ``most`` of n rows, in their order."""
    if most is None or n <= most:
        return np.arange(n)
    rows: npt.NDArray[np.int64] = np.sort(check_random_state(seed).choice(n, most, replace=False))
    return rows


def core_distances(X: Floats, neighbours: int) -> Floats:
    """Each row's distance to its ``neighbours``-th neighbour, itself counted, (n,)."""
    index = NearestNeighbors(n_neighbors=min(neighbours, len(X))).fit(X)
    away: Floats = index.kneighbors(X)[0][:, -1]
    return away


def best_count(estimator: Any, X: Floats, seed: int | None) -> int:
    """The number of clusters from 2 to 10 with the highest silhouette; 2 where none can be measured."""
    tried = X[drawn(len(X), TRIED_ROWS, seed)]
    distinct = len(np.unique(tried, axis=0))
    scores = {}
    for count in COUNTS:
        if count >= distinct:
            break
        labels = _quick(estimator).set_params(n_clusters=count).fit_predict(tried)
        if 1 < len(np.unique(labels)) < len(tried):
            scores[count] = float(silhouette_score(tried, labels))
    return max(scores, key=scores.__getitem__, default=min(2, distinct))


def _quick(estimator: Any) -> Any:
    """The clustering with few fresh starts, which are enough to see how many clusters there are."""
    quick = clone(estimator)
    return quick.set_params(n_init=2) if "n_init" in quick.get_params() else quick
