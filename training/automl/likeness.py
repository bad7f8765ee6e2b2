"""How like two tables are, by a few facts that cost nothing to know."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import skew

from registry.tabular.schema import Column, ColumnType

# What counts as one step apart: three times the rows or inputs, twice the classes, and so on.
SCALES: Mapping[str, float] = {
    "rows": 0.5,
    "inputs": 0.5,
    "categories": 0.3,
    "missing": 0.1,
    "classes": 1.0,
    "rarest": 0.15,
    "skew": 1.0,
}
MOST_SKEW = 5.0
FLOOR = 0.05  # what even the least like table counts


def facts_of(
    features: pd.DataFrame, target: "pd.Series[Any]", columns: Sequence[Column], problem: str
) -> dict[str, float]:
    """The table's facts: logarithms of rows, inputs (base 10) and classes (base 2), shares, and skewness.

    Args:
        features: canonical, with the ``columns``. target: cleaned. problem: classification or regression.
    """
    classify = problem == "classification"
    shares = target.value_counts(normalize=True) if classify else pd.Series([1.0])
    bent = 0.0 if classify else abs(float(skew(target.to_numpy("float64"))))
    return {
        "rows": float(np.log10(max(len(features), 1))),
        "inputs": float(np.log10(max(len(columns), 1))),
        "categories": sum(one.type is ColumnType.category for one in columns) / max(len(columns), 1),
        "missing": float(features.isna().to_numpy().mean()) if features.size else 0.0,
        "classes": float(np.log2(len(shares))),
        "rarest": float(shares.min()) * len(shares) / 2,
        "skew": min(bent, MOST_SKEW) if np.isfinite(bent) else 0.0,
    }


def likeness(facts: Mapping[str, float], others: Sequence[Mapping[str, float]]) -> np.ndarray:
    """How much each other table counts for this one, (n,), between 0.05 and 1.05."""
    apart = [
        sum(((facts[name] - one[name]) / scale) ** 2 for name, scale in SCALES.items()) for one in others
    ]
    return np.asarray(FLOOR + np.exp(-np.array(apart, dtype="float64") / 2))
