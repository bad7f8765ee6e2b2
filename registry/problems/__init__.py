"""The kinds of problem that models solve, one file each. Pure code, no Django."""

from typing import Any

import pandas as pd

from registry.problems.base import Metric, Predictions, ProblemType
from registry.problems.classification import Classification, confusion
from registry.problems.compare import PairedDifference, paired_bootstrap
from registry.problems.errors import InvalidOutcome, NotComparable, UnknownProblemType, UnusableTarget
from registry.problems.regression import Regression

__all__ = [
    "PROBLEMS",
    "InvalidOutcome",
    "Metric",
    "NotComparable",
    "PairedDifference",
    "Predictions",
    "ProblemType",
    "UnknownProblemType",
    "UnusableTarget",
    "confusion",
    "detect_problem",
    "get_problem",
    "paired_bootstrap",
]

PROBLEMS: dict[str, ProblemType] = {problem.key: problem for problem in (Classification(), Regression())}

FEW_INTEGERS = 20


def get_problem(key: str) -> ProblemType:
    """The problem type of this key; raises ``UnknownProblemType``."""
    if key not in PROBLEMS:
        raise UnknownProblemType(f"There is no problem type {key!r}. Choose one of: {', '.join(PROBLEMS)}.")
    return PROBLEMS[key]


def detect_problem(target: "pd.Series[Any]") -> str:
    """The key of the likeliest problem type.

    Text, booleans, categories and whole numbers with at most 20 distinct values are labels; other numbers are
    measurements.
    """
    present = target.dropna()
    if not pd.api.types.is_numeric_dtype(present) or pd.api.types.is_bool_dtype(present):
        numbers = pd.to_numeric(present.astype("str"), errors="coerce")
        if pd.api.types.is_bool_dtype(present) or isinstance(present.dtype, pd.CategoricalDtype):
            return Classification.key
        if len(numbers) == 0 or numbers.isna().any():
            return Classification.key
        present = numbers
    whole = bool((present == present.round()).all())
    return Classification.key if whole and present.nunique() <= FEW_INTEGERS else Regression.key
