"""The table of algorithms. To add one: write its file, name it here, run the conformance tests."""

from importlib.util import find_spec

from training.algorithms import (
    agglomerative,
    anomaly_ensemble,
    dbscan,
    decision_tree,
    dummy,
    elastic_net,
    elliptic_envelope,
    extra_trees,
    gaussian_mixture,
    gradient_boosting,
    hdbscan,
    hist_gradient_boosting,
    isolation_forest,
    kmeans,
    knn,
    lasso,
    lightgbm,
    linear_regression,
    local_outlier_factor,
    logistic_regression,
    mini_batch_kmeans,
    mlp,
    naive_bayes,
    one_class_svm,
    random_forest,
    reference_decision_tree,
    reference_logistic_regression,
    ridge,
    sgd,
    svm,
    xgboost,
)
from training.algorithms.base import Algorithm
from training.algorithms.errors import UnknownAlgorithm, UnsuitableAlgorithm

MODULES = (
    logistic_regression,
    ridge,
    lasso,
    elastic_net,
    linear_regression,
    random_forest,
    extra_trees,
    hist_gradient_boosting,
    gradient_boosting,
    lightgbm,
    xgboost,
    decision_tree,
    svm,
    knn,
    naive_bayes,
    sgd,
    mlp,
    reference_logistic_regression,
    reference_decision_tree,
    dummy,
    isolation_forest,
    local_outlier_factor,
    elliptic_envelope,
    one_class_svm,
    anomaly_ensemble,
    kmeans,
    mini_batch_kmeans,
    gaussian_mixture,
    agglomerative,
    dbscan,
    hdbscan,
)
KNOWN: dict[str, Algorithm] = {module.ALGORITHM.key: module.ALGORITHM for module in MODULES}
# What can be trained here: all but those whose package is not installed.
ALGORITHMS: dict[str, Algorithm] = {
    key: algorithm
    for key, algorithm in KNOWN.items()
    if algorithm.needs is None or find_spec(algorithm.needs)
}


def get_algorithm(key: str, problem: str | None = None) -> Algorithm:
    """The algorithm of this key.

    Raises:
        UnknownAlgorithm: there is none.
        UnsuitableAlgorithm: ``problem`` is given and the algorithm does not solve it.
    """
    if key in KNOWN and key not in ALGORITHMS:
        raise UnknownAlgorithm(
            f"{KNOWN[key].title} is not installed here. Install the extra: pip install 'mlplatform[boost]'."
        )
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
