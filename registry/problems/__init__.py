"""The kinds of problem that models solve, one file each. Pure code, no Django."""

from registry.problems.anomaly import AnomalyDetection, UnlabelledAnomalyDetection
from registry.problems.base import Comparison, Fact, Metric, Predictions, ProblemType
from registry.problems.classification import Classification, confusion
from registry.problems.clustering import Clustering
from registry.problems.compare import PairedDifference, paired_bootstrap
from registry.problems.detection import detect_problem
from registry.problems.errors import InvalidOutcome, NotComparable, UnknownProblemType, UnusableTarget
from registry.problems.regression import Regression

__all__ = [
    "PROBLEMS",
    "Comparison",
    "Fact",
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

PROBLEMS: dict[str, ProblemType] = {
    problem.key: problem for problem in (Classification(), Regression(), AnomalyDetection(), Clustering())
}
# What is decided by where no column says what is right.
UNLABELLED: dict[str, ProblemType] = {AnomalyDetection.key: UnlabelledAnomalyDetection()}


def get_problem(key: str, *, labelled: bool = True) -> ProblemType:
    """The problem type of this key, as it is for models with or without a target.

    Raises ``UnknownProblemType``.
    """
    if key not in PROBLEMS:
        raise UnknownProblemType(f"There is no problem type {key!r}. Choose one of: {', '.join(PROBLEMS)}.")
    return PROBLEMS[key] if labelled else UNLABELLED.get(key, PROBLEMS[key])
