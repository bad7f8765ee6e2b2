"""Rare classes made to count, within the rows that a fit is given."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted


def _answers_probabilities(self: "Balanced") -> bool:
    return hasattr(getattr(self, "estimator_", self.estimator), "predict_proba")


class Balanced(MetaEstimatorMixin, ClassifierMixin, BaseEstimator):
    """A classifier that learns from rows in which every class weighs the same.

    It stands at the end of a pipeline, so that only the training rows of each fold are weighed or drawn.

    Args:
        estimator: the inner classifier, unfitted.
        how: ``weights`` gives the rows of rare classes larger weights; ``over`` draws them again until each
            class has as many rows as the largest; ``under`` keeps as many of each as the rarest has.
        seed: of the draw.
    """

    inner_models = ("estimator_",)

    def __init__(self, estimator: Any, how: str = "weights", seed: int = 0) -> None:
        self.estimator = estimator
        self.how = how
        self.seed = seed

    def fit(self, X: npt.NDArray[Any], y: npt.NDArray[Any]) -> Self:
        """Fit the inner classifier on X (n, d) and labels (n,)."""
        labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
        if self.how == "weights":
            weights = (len(codes) / (len(labels) * counts))[codes]
            self.estimator_ = clone(self.estimator).fit(X, y, sample_weight=weights)
        else:
            rows = drawn_rows(codes, counts, over=self.how == "over", seed=self.seed)
            self.estimator_ = clone(self.estimator).fit(X[rows], y[rows])
        self.classes_ = self.estimator_.classes_
        self.n_features_in_ = X.shape[1]
        return self

    def predict(self, X: npt.NDArray[Any]) -> npt.NDArray[Any]:
        """Labels, (n,)."""
        check_is_fitted(self)
        labels: npt.NDArray[Any] = self.estimator_.predict(X)
        return labels

    @available_if(_answers_probabilities)  # type: ignore[untyped-decorator]  # scikit-learn has no types
    def predict_proba(self, X: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Probabilities, (n, classes)."""
        check_is_fitted(self)
        return np.asarray(self.estimator_.predict_proba(X), dtype="float64")


def drawn_rows(
    codes: npt.NDArray[np.int64], counts: npt.NDArray[np.int64], *, over: bool, seed: int
) -> npt.NDArray[np.int64]:
    """Positions of as many rows of every class, in their old order.

    Args:
        codes: (n,) class numbers. counts: (k,) rows of each class.
        over: draw rare classes' rows again up to the largest class; otherwise leave out rows of large ones.
    """
    rng = np.random.default_rng(seed)
    size = int(counts.max() if over else counts.min())
    chosen = []
    for code, count in enumerate(counts.tolist()):
        rows = np.flatnonzero(codes == code)
        if count >= size:
            chosen.append(rng.permutation(rows)[:size])
        else:
            chosen.append(np.concatenate([rows, rng.choice(rows, size - count)]))
    return np.sort(np.concatenate(chosen))
