"""How strongly the columns of numbers go together, two by two."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.coercion import coerce_frame
from registry.tabular.columns import NUMBER_TYPES, Column

MOST_COLUMNS = 20
MOST_ROWS = 10_000
LEAST_ROWS = 3


def correlations(frame: pd.DataFrame, columns: Sequence[Column]) -> dict[str, Any]:
    """Return ``{"correlations": {"columns", "rows", "pearson", "spearman"}}`` of up to 20 columns of numbers.

    The frame must fit the columns. Pearson's coefficient tells how well a straight line
    fits, Spearman's (Pearson's of the ranks) whether one rises with the other at all; both lie between -1
    and 1. Pairs are over the rows where both have a value, of at most 10,000 evenly spread ones; None where
    fewer than three rows have both or one of them does not vary. Empty for fewer than two such columns.
    """
    step = max(1, -(-len(frame) // MOST_ROWS))
    numeric = [c for c in columns if c.type in NUMBER_TYPES and c.name in frame.columns]
    rows = coerce_frame(frame[[c.name for c in numeric]].iloc[::step], numeric)
    names = list(rows.columns)
    varying = [name for name in names if rows[name].nunique() > 1][:MOST_COLUMNS]
    if len(varying) < 2:
        return {}
    values = rows[varying].astype("float64")
    return {
        "correlations": {
            "columns": varying,
            "rows": len(values),
            "pearson": _rounded(_pearson(values)),
            "spearman": _rounded(_pearson(values.rank())),
        }
    }


def _pearson(values: pd.DataFrame) -> npt.NDArray[np.float64]:
    with np.errstate(all="ignore"):  # values near the largest float overflow to no answer
        if values.notna().to_numpy().all() and len(values) >= LEAST_ROWS:
            found: npt.NDArray[np.float64] = np.corrcoef(values.to_numpy(), rowvar=False)
            return found
        return values.corr(min_periods=LEAST_ROWS).to_numpy()


def _rounded(matrix: npt.NDArray[np.float64]) -> list[list[float | None]]:
    return [[round(float(one), 4) if np.isfinite(one) else None for one in row] for row in matrix]
