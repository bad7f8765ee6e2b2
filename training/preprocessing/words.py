"""Prose as word weights."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.utils.validation import check_is_fitted

from registry.inference.recipe import Piece, Words

MAX_WORDS = 200
HAS_WORD = r"\w\w"


class WordWeights(TransformerMixin, BaseEstimator):
    """TF-IDF (Sparck Jones 1972) of each text column's 200 most frequent words, in lower case.

    Missing text has no words. A column without a word in the training rows gives no feature.
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Learn each column's words."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.vectorizers_ = {
            name: TfidfVectorizer(lowercase=True, max_features=MAX_WORDS).fit(_filled(X[name]))
            for name in X.columns
            if _filled(X[name]).str.contains(HAS_WORD).any()
        }
        return self

    def transform(self, X: pd.DataFrame) -> npt.NDArray[np.float64]:
        """Shape (n, words of all columns), dense."""
        check_is_fitted(self)
        blocks = [
            weights.transform(_filled(X[name])).toarray() for name, weights in self.vectorizers_.items()
        ]
        return np.hstack([np.empty((len(X), 0)), *blocks])

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[Any]:
        """``<column>_<word>``."""
        check_is_fitted(self)
        names = [
            f"{name}_{word}"
            for name, weights in self.vectorizers_.items()
            for word in weights.get_feature_names_out()
        ]
        return np.asarray(names, dtype=object)

    def pieces(self, names: list[str]) -> list[Piece]:
        """What it does, as a recipe says it."""
        return [
            Words(name, [str(word) for word in weights.get_feature_names_out()], weights.idf_.tolist())
            for name, weights in self.vectorizers_.items()
        ]


def _filled(text: "pd.Series[Any]") -> "pd.Series[Any]":
    return text.astype("str").fillna("")
