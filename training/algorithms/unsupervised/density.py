"""Detectors by neighbourhood and by distance from the bulk, made safe for small and flat data."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator
from sklearn.covariance import MinCovDet
from sklearn.decomposition import PCA
from sklearn.neighbors import LocalOutlierFactor
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted, validate_data

Floats = npt.NDArray[np.float64]

ROWS_PER_COMPONENT = 5
KEPT_VARIANCE = 0.99
JITTER = 0.01


class LocalDensity(BaseEstimator):
    """Local outlier factor (Breunig et al. 2000) for rows that come later, too.

    How unusual the training rows are is measured with each left out of its own neighbourhood; asked anew,
    each would find itself at distance 0 and look too normal.

    Args:
        n_neighbors: neighbours to compare densities with; at most one less than there are rows.
    """

    def __init__(self, n_neighbors: int = 20) -> None:
        self.n_neighbors = n_neighbors

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit on X (n, d)."""
        X = validate_data(self, X, ensure_min_samples=2)
        factor = LocalOutlierFactor(n_neighbors=min(self.n_neighbors, len(X) - 1), novelty=True)
        self.factor_ = factor.fit(X)
        self.training_scores_ = np.log(-self.factor_.negative_outlier_factor_)
        return self

    def score_samples(self, X: Any) -> Floats:
        """The logarithm of the factor, negated, (n,): duplicates make the factor itself astronomic."""
        check_is_fitted(self)
        factor = -np.asarray(self.factor_.score_samples(validate_data(self, X, reset=False)))
        normal: Floats = -np.log(factor)
        return normal


class RobustDistance(BaseEstimator):
    """Mahalanobis distance from the bulk of the rows by the minimum covariance determinant (Rousseeuw 1984).

    Columns that do not vary, or repeat others, make a covariance that cannot be inverted; so the rows are
    first brought to their principal components: those that hold 99 % of the variance, and at most one for
    every five rows, which the determinant needs. Half of the rows may agree in a column of 0 and 1, and have
    no volume then; so the bulk is looked for with noise of a hundredth of a deviation added.

    Args:
        support_fraction: share of the rows taken for the bulk; None for about one half.
        random_state: for the subsets that are tried.
    """

    def __init__(self, support_fraction: float | None = None, random_state: int | None = None) -> None:
        self.support_fraction = support_fraction
        self.random_state = random_state

    def fit(self, X: Any, y: object = None) -> Self:
        """Fit on X (n, d)."""
        X = validate_data(self, X, ensure_min_samples=2)
        self.flat_ = bool(X.std(axis=0).max() == 0)
        self.axes_ = PCA(svd_solver="full", whiten=not self.flat_).fit(X)
        share = np.cumsum(np.nan_to_num(self.axes_.explained_variance_ratio_))
        most = max(1, len(X) // ROWS_PER_COMPONENT)
        self.components_used_ = min(int(np.searchsorted(share, KEPT_VARIANCE)) + 1, most, len(share))
        bulk = MinCovDet(support_fraction=self.support_fraction, random_state=self.random_state)
        noise = check_random_state(self.random_state).normal(0, JITTER, (len(X), self.components_used_))
        self.bulk_ = None if self.flat_ else bulk.fit(self._turned(X) + noise)
        return self

    def score_samples(self, X: Any) -> Floats:
        """The squared distance negated, (n,)."""
        check_is_fitted(self)
        turned = self._turned(validate_data(self, X, reset=False))
        if self.bulk_ is None:  # every training row was the same
            flat: Floats = -(turned**2).sum(axis=1)
            return flat
        return -np.asarray(self.bulk_.mahalanobis(turned), dtype="float64")

    def _turned(self, X: Any) -> Floats:
        turned: Floats = self.axes_.transform(X)[:, : self.components_used_]
        return turned
