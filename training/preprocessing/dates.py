"""Dates as numbers that keep what is near in the calendar near."""

from typing import Any, Self

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from registry.inference.recipe import Dates, Piece

Floats = npt.NDArray[np.float64]

PARTS = (
    "year",
    "month_sin",
    "month_cos",
    "weekday_sin",
    "weekday_cos",
    "hour_sin",
    "hour_cos",
    "days_since_first",
)
DAY = np.timedelta64(86_400_000_000, "us")


class DateParts(TransformerMixin, BaseEstimator):
    """Eight numbers per date: year, month, weekday and hour on a circle, days since the first date seen.

    A missing date gets the values of the training rows' median date; a column without any gets zeros.
    """

    def fit(self, X: pd.DataFrame, y: object = None) -> Self:
        """Remember the first and the median date of each column."""
        self.feature_names_in_ = np.asarray(X.columns, dtype=object)
        self.n_features_in_ = X.shape[1]
        self.first_ = [X[name].min() for name in X.columns]
        self.median_ = [X[name].dropna().sort_values().quantile(0.5, "lower") for name in X.columns]
        return self

    def transform(self, X: pd.DataFrame) -> Floats:
        """Shape (n, 8 * columns)."""
        check_is_fitted(self)
        blocks = [
            _parts(X[name], first, median)
            for name, first, median in zip(self.feature_names_in_, self.first_, self.median_, strict=True)
        ]
        return np.hstack(blocks)

    def get_feature_names_out(self, input_features: object = None) -> npt.NDArray[Any]:
        """``<column>_<part>`` for each column and part."""
        check_is_fitted(self)
        return np.asarray(
            [f"{name}_{part}" for name in self.feature_names_in_ for part in PARTS], dtype=object
        )

    def pieces(self, names: list[str]) -> list[Piece]:
        """What it does, as a recipe says it."""
        known = zip(names, self.first_, self.median_, strict=True)
        return [Dates(name, _microseconds(first), _microseconds(median)) for name, first, median in known]


def _microseconds(moment: Any) -> int | None:
    return None if pd.isna(moment) else int(np.datetime64(moment, "us").astype("int64"))


def _parts(dates: "pd.Series[Any]", first: Any, median: Any) -> Floats:
    if pd.isna(first):
        return np.zeros((len(dates), len(PARTS)))
    known = dates.astype("datetime64[us]").fillna(median)
    hour = known.dt.hour + known.dt.minute / 60
    days = (known.to_numpy() - np.datetime64(first, "us")) / DAY
    return np.column_stack(
        [
            known.dt.year,
            *_circle(known.dt.month - 1, 12),
            *_circle(known.dt.day_of_week, 7),
            *_circle(hour, 24),
            days,
        ]
    )


def _circle(values: "pd.Series[Any]", period: int) -> tuple[Floats, Floats]:
    angle = 2 * np.pi * values.to_numpy() / period
    return np.sin(angle), np.cos(angle)
