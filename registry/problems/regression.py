"""Regression: a number on a continuous scale."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.problems.base import Comparison, Metric, Predictions, ProblemType, target_name
from registry.problems.compare import compared
from registry.problems.errors import InvalidOutcome, UnusableTarget

MIN_ROWS = 5
RELATIVE_ERROR_MARGIN = 0.1
LARGEST = 1e150  # squares of anything larger overflow


class Regression(ProblemType):
    """Prediction of a real number."""

    key = "regression"
    title = "Regression"
    watched = "value"
    outcome = "value"
    best_row_score = 0.0
    primary_metric = "r2"
    metrics = (
        Metric("r2", "R² (explained variance)", higher_is_better=True),
        Metric("mae", "Mean absolute error", higher_is_better=False),
        Metric("rmse", "Root mean squared error", higher_is_better=False),
        Metric("mape", "Mean absolute percentage error", higher_is_better=False),
        Metric("median_absolute_error", "Median absolute error", higher_is_better=False),
    )

    def check_target(self, target: "pd.Series[Any]") -> None:
        """Numbers, finite, at least five, and not all the same."""
        name = target_name(target)
        present = target.dropna()
        numbers = _numbers(present)
        unreadable = present[numbers.isna()]
        if len(unreadable):
            raise UnusableTarget(
                f"Column {name} holds {str(unreadable.iloc[0])[:40]!r}, which is not a number. Correct or "
                "empty such values, or train a classification where the column holds labels."
            )
        if (numbers.abs() > LARGEST).any():
            raise UnusableTarget(f"Column {name} holds infinite or absurdly large values. Remove these rows.")
        if len(numbers) < MIN_ROWS:
            raise UnusableTarget(f"Column {name} holds {len(numbers)} values; it needs at least {MIN_ROWS}.")
        if numbers.nunique() == 1:
            raise UnusableTarget(
                f"Column {name} holds the same value in every row, so there is nothing to predict. "
                "Choose another target."
            )

    def clean_target(self, target: "pd.Series[Any]") -> "pd.Series[Any]":
        """Finite floats; rows without one are dropped."""
        numbers = _numbers(target)
        finite: pd.Series[Any] = numbers[np.isfinite(numbers.to_numpy())]
        return finite

    def score(self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions) -> dict[str, float]:
        """Errors in the target's unit; R² needs a spread, the percentage error needs targets other than 0."""
        truth = np.asarray(y_true, dtype="float64")
        if not len(truth):
            return {}
        errors = np.abs(truth - predictions.values.astype("float64"))
        scores = {
            "mae": float(errors.mean()),
            "rmse": float(np.sqrt((errors**2).mean())),
            "median_absolute_error": float(np.median(errors)),
        }
        spread = float(((truth - truth.mean()) ** 2).sum())
        if spread > 0:
            scores["r2"] = 1.0 - float((errors**2).sum()) / spread
        if (truth != 0).all():
            scores["mape"] = float((errors / np.abs(truth)).mean())
        return {name: value for name, value in scores.items() if math.isfinite(value)}

    def row_scores(
        self, y_true: Sequence[Any] | npt.NDArray[Any], predictions: Predictions
    ) -> npt.NDArray[np.float64]:
        """The absolute error, negated."""
        truth = np.asarray(y_true, dtype="float64")
        negated: npt.NDArray[np.float64] = -np.abs(truth - predictions.values.astype("float64"))
        return negated

    def compare(
        self, y_true: Sequence[Any] | npt.NDArray[Any], candidate: Predictions, champion: Predictions
    ) -> Comparison:
        """By the mean absolute error; it may grow by a tenth."""
        ours, theirs = self.row_scores(y_true, candidate), self.row_scores(y_true, champion)
        margin = RELATIVE_ERROR_MARGIN * float(abs(theirs.mean()))
        return compared("mean absolute error", ours, theirs, margin)

    def parse_outcome(self, value: object, classes: list[str] | None) -> str | float:
        """A finite number, also as text; booleans are refused, for they are most likely a mistake."""
        if isinstance(value, (int, float, str, np.integer, np.floating)) and not isinstance(value, bool):
            try:
                number = float(value)
            except (ValueError, OverflowError):
                number = math.nan
            if math.isfinite(number):
                return number
        raise InvalidOutcome(f"An outcome of this model must be a finite number, not {str(value)[:80]!r}.")


def _numbers(values: "pd.Series[Any]") -> "pd.Series[Any]":
    if pd.api.types.is_bool_dtype(values):
        return values.astype("float64")
    numbers = pd.to_numeric(values, errors="coerce") if not _is_date(values) else values.map(lambda _: np.nan)
    floats: pd.Series[Any] = numbers.astype("float64")
    return floats


def _is_date(values: "pd.Series[Any]") -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values))
