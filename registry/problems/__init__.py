"""The kinds of problem that models solve, one file each. Pure code, no Django."""

from registry.problems.base import Metric, Predictions, ProblemType
from registry.problems.classification import Classification, confusion
from registry.problems.compare import PairedDifference, paired_bootstrap
from registry.problems.detection import detect_problem
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


def get_problem(key: str) -> ProblemType:
    """The problem type of this key; raises ``UnknownProblemType``."""
    if key not in PROBLEMS:
        raise UnknownProblemType(f"There is no problem type {key!r}. Choose one of: {', '.join(PROBLEMS)}.")
    return PROBLEMS[key]
