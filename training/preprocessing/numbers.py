"""Numbers for algorithms that take missing values as they are."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.preprocessing import QuantileTransformer
from sklearn.utils.validation import check_is_fitted

from registry.inference.recipe import Bell, Numbers, Piece

MOST_QUANTILES = 200


def median(values: npt.NDArray[np.float64]) -> float:
    """The middle of a column's present values; 0 where there is none. A strategy of ``SimpleImputer``."""
    return float(np.median(values)) if len(values) else 0.0


class KeepMissing(TransformerMixin, BaseEstimator):
    """Passes numbers through, NaN included, but a column without any value in the training rows is zeros.

    Histogram gradient boosting finds no bins for such a column and fails; it may be empty in one fold only.
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Remember which columns are empty."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.empty_ = X.isna().all(axis=0).to_numpy()
        return self

    def transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Shape (n, columns)."""
        check_is_fitted(self)
        return np.where(self.empty_, 0.0, X.to_numpy(dtype="float64"))

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[Any]:
        """The columns' own names."""
        check_is_fitted(self)
        return self.feature_names_in_

    def pieces(self, names: list[str]) -> list[Piece]:
        """What it does, as a recipe says it."""
        return [Numbers(names, [None] * len(names), [int(place) for place in np.flatnonzero(self.empty_)])]


class Quantiles(TransformerMixin, BaseEstimator):
    """Numbers by their rank, on a bell curve: outliers come near, and skewed columns become even."""

    def fit(self, X: Any, y: object = None) -> Self:
        """Remember the quantiles of each column, as many as there are rows where these are fewer."""
        self.n_features_in_ = X.shape[1]
        count = min(MOST_QUANTILES, X.shape[0])
        self.ranks_ = QuantileTransformer(n_quantiles=count, output_distribution="normal", random_state=0)
        self.ranks_.fit(X)
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Shape (n, columns)."""
        check_is_fitted(self)
        return np.asarray(self.ranks_.transform(X), dtype="float64")

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[Any]:
        """The columns' own names."""
        check_is_fitted(self)
        return np.asarray(self.ranks_.get_feature_names_out(input_features))

    def scaling(self) -> Bell:
        """What it does, as a recipe says it."""
        return Bell(self.ranks_.quantiles_.T.tolist(), self.ranks_.references_.tolist())
