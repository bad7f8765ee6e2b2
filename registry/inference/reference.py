"""What drift is measured against later."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from registry.problems.base import Predictions, ProblemType
from registry.tabular.columns import Column, ColumnType
from registry.tabular.histograms import histogram_of


def reference_of(
    problem: ProblemType, columns: Sequence[Column], features: pd.DataFrame, answers: Predictions
) -> dict[str, Any]:
    """Histograms of the rows' features by column, and of answers (to any rows) under ``prediction``."""
    by_label = problem.watched == "label"
    shown = answers.values if by_label or answers.scores is None else answers.scores
    histograms = {
        column.name: histogram_of(features[column.name], column.type)
        for column in columns
        if column.name in features
    }
    kind = ColumnType.category if by_label else ColumnType.numeric
    histograms["prediction"] = histogram_of(pd.Series(shown), kind)
    return {name: histogram for name, histogram in histograms.items() if histogram is not None}
