"""Probabilities for classifiers that know only how far a row lies from their boundary."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import StratifiedKFold
from sklearn.utils.validation import check_is_fitted

FOLDS = 3


class MarginProbabilities(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier whose margins become probabilities, by curves learnt from rows that it had not seen.

    Platt's scaling (1999), each class against the rest, on the margins of three folds; the classifier itself
    is then fitted on all rows. Where a class has a single row there are no folds to make, and the curves come
    from the rows themselves.

    Args:
        estimator: the inner classifier, unfitted, with a ``decision_function``. seed: of the folds.
    """

    def __init__(self, estimator: Any, seed: int = 0) -> None:
        self.estimator = estimator
        self.seed = seed

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit on X (n, d) and labels (n,), weights (n,) where there are any."""
        folds = min(FOLDS, int(np.unique(y, return_counts=True)[1].min()))
        if folds > 1:
            parts = StratifiedKFold(folds, shuffle=True, random_state=self.seed)
            curves = CalibratedClassifierCV(clone(self.estimator), cv=parts, ensemble=False)
        else:
            whole = clone(self.estimator).fit(X, y, sample_weight=sample_weight)
            rows = np.arange(len(y))
            curves = CalibratedClassifierCV(FrozenEstimator(whole), cv=[(rows, rows)], ensemble=False)
        self.curves_ = curves.fit(X, y, sample_weight=sample_weight)
        self.classes_ = self.curves_.classes_
        self.n_features_in_ = X.shape[1]
        return self

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Probabilities, (n, classes)."""
        check_is_fitted(self)
        return np.asarray(self.curves_.predict_proba(X), dtype=np.float64)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable label of each row, (n,)."""
        labels: npt.NDArray[Any] = self.classes_[self.predict_proba(X).argmax(axis=1)]
        return labels
