"""Which problem a target column poses."""

from typing import Any

import pandas as pd

FEW_INTEGERS = 20


def detect_problem(target: "pd.Series[Any]") -> str:
    """The key of the likeliest problem type.

    Text, booleans, categories and whole numbers with at most 20 distinct values are labels
    ("classification"); other numbers, also as text, are measurements ("regression").
    """
    present = target.dropna()
    if pd.api.types.is_bool_dtype(present) or isinstance(present.dtype, pd.CategoricalDtype):
        return "classification"
    if not pd.api.types.is_numeric_dtype(present):
        present = pd.to_numeric(present.astype("str"), errors="coerce")
    if present.empty or present.isna().any():
        return "classification"
    whole = bool((present == present.round()).all())
    return "classification" if whole and present.nunique() <= FEW_INTEGERS else "regression"
