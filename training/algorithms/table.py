"""The table of algorithms. To add one: write its file, name it here, run the conformance tests."""

from training.algorithms import (
    decision_tree,
    dummy,
    extra_trees,
    hist_gradient_boosting,
    knn,
    linear_regression,
    logistic_regression,
    random_forest,
    ridge,
)
from training.algorithms.base import Algorithm
from training.algorithms.errors import UnknownAlgorithm, UnsuitableAlgorithm

MODULES = (
    logistic_regression,
    ridge,
    linear_regression,
    random_forest,
    extra_trees,
    hist_gradient_boosting,
    decision_tree,
    knn,
    dummy,
)
ALGORITHMS: dict[str, Algorithm] = {module.ALGORITHM.key: module.ALGORITHM for module in MODULES}


def get_algorithm(key: str, problem: str | None = None) -> Algorithm:
    """The algorithm of this key.

    Raises:
        UnknownAlgorithm: there is none.
        UnsuitableAlgorithm: ``problem`` is given and the algorithm does not solve it.
    """
    if key not in ALGORITHMS:
        raise UnknownAlgorithm(f"There is no algorithm {key[:60]!r}. Choose one of: {', '.join(ALGORITHMS)}.")
    algorithm = ALGORITHMS[key]
    if problem is not None and problem not in algorithm.problems:
        fitting = ", ".join(other.key for other in algorithms_for(problem))
        raise UnsuitableAlgorithm(f"{algorithm.title} does not solve {problem}. Choose one of: {fitting}.")
    return algorithm


def algorithms_for(problem: str) -> list[Algorithm]:
    """The algorithms for a problem type, in the order in which to offer them."""
    return [algorithm for algorithm in ALGORITHMS.values() if problem in algorithm.problems]
