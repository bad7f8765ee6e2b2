"""A number to predict on a scale that is easier to learn."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, MetaEstimatorMixin, RegressorMixin, clone
from sklearn.preprocessing import PowerTransformer
from sklearn.utils.validation import check_is_fitted


class BentTarget(MetaEstimatorMixin, RegressorMixin, BaseEstimator):
    """A regressor that learns the target bent towards a bell curve, and answers on the old scale.

    The curve is Yeo and Johnson's (2000), chosen by likelihood from the training rows. Bent back, an answer
    beyond the values seen could grow without bounds or leave the curve, so it is held within their range.

    Args:
        estimator: the inner regressor, unfitted.
    """

    inner_models = ("estimator_",)

    def __init__(self, estimator: Any) -> None:
        self.estimator = estimator

    def fit(self, X: Any, y: npt.NDArray[Any]) -> Self:
        """Fit on X (n, d) and numbers (n,)."""
        numbers = np.asarray(y, dtype="float64")[:, None]
        self.curve_ = PowerTransformer().fit(numbers)
        bent = self.curve_.transform(numbers)[:, 0]
        self.lowest_, self.highest_ = float(bent.min()), float(bent.max())
        self.estimator_ = clone(self.estimator).fit(X, bent)
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Numbers, (n,)."""
        check_is_fitted(self)
        bent = np.clip(self.estimator_.predict(X), self.lowest_, self.highest_)
        answers = self.curve_.inverse_transform(np.asarray(bent, dtype="float64")[:, None])
        return np.asarray(answers[:, 0], dtype="float64")
