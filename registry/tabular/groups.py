"""Rows that belong together by their value in one column."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.columns import ColumnType
from registry.tabular.labels import as_text

MIN_ROWS = 20
MAX_GROUPS = 20
FEW_NUMBERS = 10
MISSING = "(missing)"
NUMBERS = frozenset({ColumnType.numeric, ColumnType.integer})

Groups = dict[str, npt.NDArray[np.int64]]


def groups_of(
    values: "pd.Series[Any]", kind: ColumnType = ColumnType.category, min_rows: int = MIN_ROWS
) -> Groups:
    """Row positions of each value with at least ``min_rows`` rows, missing ones included.

    The most frequent 20 values, the most frequent first. Of a number with more than ten values, the quarters
    between its quartiles stand for values.
    """
    if kind in NUMBERS and values.nunique() > FEW_NUMBERS:
        return _quarters(values, min_rows)
    text = as_text(values).fillna(MISSING).reset_index(drop=True)
    counts = text.value_counts()
    shown = [str(value) for value, count in counts.items() if count >= min_rows][:MAX_GROUPS]
    return {value: np.flatnonzero((text == value).to_numpy()) for value in shown}


def numbered(groups: Groups) -> Groups:
    """Return the groups in their order without their values: "group 1", "group 2" and so on."""
    return {f"group {place}": rows for place, rows in enumerate(groups.values(), 1)}


def _quarters(values: "pd.Series[Any]", min_rows: int) -> Groups:
    numbers = values.to_numpy(dtype="float64", na_value=np.nan)
    known = np.isfinite(numbers)
    edges = np.unique(np.quantile(numbers[known], [0, 0.25, 0.5, 0.75, 1]))
    quarter = np.where(known, np.searchsorted(edges[1:-1], numbers, side="right"), -1)
    groups: Groups = {}
    for place in range(len(edges) - 1):
        groups[f"{edges[place]:.4g} to {edges[place + 1]:.4g}"] = np.flatnonzero(quarter == place)
    groups[MISSING] = np.flatnonzero(~known)
    return {name: rows for name, rows in groups.items() if len(rows) >= min_rows}
