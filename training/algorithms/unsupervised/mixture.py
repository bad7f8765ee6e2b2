"""Clusters as overlapping clouds."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.mixture import GaussianMixture
from sklearn.utils.validation import check_is_fitted, validate_data

from training.algorithms.unsupervised.clusters import COUNTS, TRIED_ROWS, drawn

Floats = npt.NDArray[np.float64]
Labels = npt.NDArray[np.int64]


class Mixture(ClusterMixin, BaseEstimator):
    """A mixture of normal distributions by expectation maximisation; the heaviest cloud is cluster 0.

    Args:
        n_components: number of clouds; None for the number from 2 to 10 with the lowest Bayesian information
            criterion (Schwarz 1978) on at most 1,000 rows.
        covariance_type: "full", "tied", "diag" or "spherical".
        reg_covar: added to every variance, which keeps clouds from shrinking onto a point.
        random_state: for the first guess.
    """

    def __init__(
        self,
        n_components: int | None = None,
        covariance_type: str = "diag",
        reg_covar: float = 1e-3,
        random_state: int | None = None,
    ) -> None:
        self.n_components = n_components
        self.covariance_type = covariance_type
        self.reg_covar = reg_covar
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit on X (n, d); ``labels_`` (n,) are the rows' likeliest clouds."""
        X = validate_data(self, X, ensure_min_samples=2)
        count = self._count(X) if self.n_components is None else self.n_components
        self.mixture_ = self._made(count).fit(X)
        self.order_ = np.argsort(-self.mixture_.weights_, kind="stable")
        self.n_clusters_ = count
        self.labels_ = self.predict(X)
        return self

    def predict_membership(self, X: Any) -> Floats:
        """How likely each row belongs to each cloud, (n, clouds); rows sum to 1."""
        check_is_fitted(self)
        shares = self.mixture_.predict_proba(validate_data(self, X, reset=False))[:, self.order_]
        # Far from every cloud all densities vanish, and rounding leaves shares that sum to more than 1.
        evened: Floats = shares / shares.sum(axis=1, keepdims=True)
        return evened

    def assign(self, X: Any) -> tuple[Labels, Floats]:
        """Each row's likeliest cloud and its distance to that cloud's mean, both (n,)."""
        check_is_fitted(self)
        labels = self.predict_membership(X).argmax(axis=1)
        means = self.mixture_.means_[self.order_]
        return labels, np.linalg.norm(np.asarray(X, dtype="float64") - means[labels], axis=1)

    def predict(self, X: Any) -> Labels:
        """Each row's likeliest cloud, (n,)."""
        return self.assign(X)[0]

    def _made(self, count: int) -> GaussianMixture:
        return GaussianMixture(
            count,
            covariance_type=self.covariance_type,
            reg_covar=self.reg_covar,
            random_state=self.random_state,
        )

    def _count(self, X: Floats) -> int:
        tried = X[drawn(len(X), TRIED_ROWS, self.random_state)]
        counts = [count for count in COUNTS if count < len(tried)] or [1]
        return min(counts, key=lambda count: float(self._made(count).fit(tried).bic(tried)))
