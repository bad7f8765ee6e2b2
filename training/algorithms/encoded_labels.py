"""Classes by number, for libraries that take no other labels."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.validation import check_is_fitted


class EncodedLabels(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier that hands its inner one the labels 0 ... k-1 and gives the true ones back.

    Args:
        estimator: the inner classifier, unfitted.
    """

    inner_models = ("estimator_",)

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the inner classifier on X (n, d) and numbered labels (n,), weights (n,) where there are any."""
        self.classes_, codes = np.unique(y, return_inverse=True)
        self.estimator_ = clone(self.estimator).fit(X, codes, sample_weight=sample_weight)
        self.n_features_in_ = self.estimator_.n_features_in_
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities (n, classes)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable label of each row, (n,)."""
        labels: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels

    @property
    def feature_importances_(self) -> npt.NDArray[np.float64]:
        """The inner classifier's own importances, (d,)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.feature_importances_, dtype=np.float64)
