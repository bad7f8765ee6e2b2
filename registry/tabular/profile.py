"""What a table's values look like: the summary for people, the reference for drift."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.coercion import coerce_frame
from registry.tabular.columns import NUMBER_TYPES, Column, ColumnType
from registry.tabular.histograms import (
    category_histogram,
    count_on,
    distinct_of,
    occurring_quantiles,
    sorted_histogram,
)
from registry.tabular.labels import as_text

__all__ = ["count_on", "profile_frame"]

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def profile_frame(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, Any]:
    """A JSON-safe summary of each column; numbers and categories with the histogram that drift counts on.

    Raises:
        SchemaMismatch: the frame does not fit the columns.
    """
    canonical = coerce_frame(frame, columns)
    profiles = {c.name: profile_column(canonical[c.name], c) for c in columns if c.name in canonical.columns}
    return {"rows": len(frame), "columns": profiles}


def profile_column(values: "pd.Series[Any]", column: Column) -> dict[str, Any]:
    """The summary of one column's canonical values."""
    if column.type in NUMBER_TYPES:
        return {"type": column.type.value} | _number_summary(values.to_numpy(dtype="float64"))
    missing = int(values.isna().sum())
    profile: dict[str, Any] = {"type": column.type.value, "missing": missing}
    profile["distinct"] = int((as_text(values) if column.type is ColumnType.ignored else values).nunique())
    if column.type is ColumnType.category:
        return profile | {"histogram": category_histogram(values)}
    if column.type is ColumnType.date:
        return profile | _date_summary(values.dropna())
    return profile


def _number_summary(floats: npt.NDArray[np.float64]) -> dict[str, Any]:
    numbers = np.sort(floats[~np.isnan(floats)])
    summary: dict[str, Any] = {"missing": floats.size - numbers.size, "distinct": distinct_of(numbers).size}
    histogram = {"histogram": sorted_histogram(numbers[np.isfinite(numbers)], floats.size)}
    if not numbers.size:
        return summary | {"mean": None, "std": None, "min": None, "max": None, "quantiles": {}} | histogram
    quantiles = occurring_quantiles(numbers, QUANTILES)
    with np.errstate(over="ignore", invalid="ignore"):  # sums of values near the largest float overflow
        mean, deviation = numbers.mean(), numbers.std()
    return {
        **summary,
        "mean": _json_number(mean),
        "std": _json_number(deviation),
        "min": float(numbers[0]),
        "max": float(numbers[-1]),
        "quantiles": {str(q): float(value) for q, value in zip(QUANTILES, quantiles, strict=True)},
        **histogram,
    }


def _json_number(value: float) -> float | None:
    # JSON has no infinity.
    return float(value) if np.isfinite(value) else None


def _date_summary(moments: "pd.Series[Any]") -> dict[str, Any]:
    if moments.empty:
        return {"min": None, "max": None}
    return {"min": moments.min().isoformat(), "max": moments.max().isoformat()}
