"""The graph of each kind of fitted estimator.

``write(graph, x, estimator)`` finds the writer by the estimator's type. What it writes answers with
probabilities (n, classes), numbers (n, 1), raw anomaly scores (n, 1), or distances (n, anchors).
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.linear_model import (
    ElasticNet,
    Lasso,
    LinearRegression,
    LogisticRegression,
    Ridge,
    SGDClassifier,
    SGDRegressor,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.svm import SVC, SVR, OneClassSVM
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from registry.inference.errors import NoTwin
from registry.inference.trees import Tree, sklearn_tree
from training.algorithms.margins import MarginProbabilities
from training.algorithms.reference import GradientDescentLogisticRegression, ReferenceDecisionTree
from training.algorithms.unsupervised import Assigned, Mixture
from training.twins.forests import BOOSTERS, FORESTS
from training.twins.graph import Graph, linear, squared_distances, to_sum_one, two_classes
from training.twins.kernels import kernel_sums, margin_probabilities, support_vector_labels
from training.twins.trees import forest

Writer = Callable[[Graph, str, Any], str]
MOST_ANCHOR_NUMBERS = 200_000  # of a clustering: each row of a request is held against all of them at once


def write(graph: Graph, x: str, estimator: Any) -> str:
    """Add the fitted estimator's graph, fed with x (n, d); return the name of its answer.

    Raises:
        NoTwin: this kind of estimator, or this one, cannot be expressed.
    """
    kind = type(estimator)
    writer = WRITERS.get(kind) or BOOSTERS.get((kind.__module__.partition(".")[0], kind.__name__))
    if writer is None:
        raise NoTwin(f"A {kind.__name__} cannot be expressed in ONNX here.")
    return writer(graph, x, estimator)


def _linear_number(graph: Graph, x: str, model: Any) -> str:
    return linear(graph, x, model.coef_, model.intercept_)


def _logistic(graph: Graph, x: str, model: Any) -> str:
    scores = linear(graph, x, model.coef_, model.intercept_)
    if len(model.classes_) == 2:
        return two_classes(graph, graph.add("Sigmoid", scores))
    return graph.add("Softmax", scores, axis=1)


def _one_against_the_rest(graph: Graph, x: str, model: Any) -> str:
    """Sigmoids of each class, scaled to sum to 1."""
    chances = graph.add("Sigmoid", linear(graph, x, model.coef_, model.intercept_))
    if len(model.classes_) == 2:
        return two_classes(graph, chances)
    return to_sum_one(graph, chances, len(model.classes_))


def _network(graph: Graph, x: str, model: Any) -> str:
    activations = {"relu": "Relu", "tanh": "Tanh", "logistic": "Sigmoid", "identity": "Identity"}
    for weights, shift in zip(model.coefs_[:-1], model.intercepts_[:-1], strict=True):
        x = graph.add(activations[model.activation], linear(graph, x, weights.T, shift))
    scores = linear(graph, x, model.coefs_[-1].T, model.intercepts_[-1])
    if model.out_activation_ == "identity":
        return scores
    if model.out_activation_ == "softmax":
        return graph.add("Softmax", scores, axis=1)
    return two_classes(graph, graph.add("Sigmoid", scores))


def _bell_curves(graph: Graph, x: str, model: GaussianNB) -> str:
    """Log likelihoods of independent normal columns, then softmax."""
    scores = []
    for mean, variance, prior in zip(model.theta_, model.var_, model.class_prior_, strict=True):
        apart = graph.add("Sub", x, graph.constant(mean))
        parts = graph.add("Div", graph.add("Mul", apart, apart), graph.constant(variance))
        total = graph.add("ReduceSum", parts, graph.constant([1], "int64"), keepdims=1)
        known = np.log(prior) - 0.5 * np.log(2 * np.pi * variance).sum()
        half = graph.add("Mul", total, graph.constant(-0.5))
        scores.append(graph.add("Add", half, graph.constant(known)))
    return graph.add("Softmax", graph.add("Concat", *scores, axis=1), axis=1)


def _cut(graph: Graph, x: str, step: FunctionTransformer) -> str:
    if step.func is not np.clip:
        raise NoTwin("One of its steps is a function of its own.")
    low, high = (graph.constant(float(step.kw_args[name])) for name in ("a_min", "a_max"))
    return graph.add("Clip", x, low, high)


def _steps(graph: Graph, x: str, pipeline: Pipeline) -> str:
    for _, step in pipeline.steps:
        x = write(graph, x, step)
    return x


def _same_for_all(graph: Graph, x: str, answer: Any) -> str:
    """The same numbers for each row."""
    rows = graph.add("Gather", graph.add("Shape", x), graph.constant([0], "int64"))
    width = graph.constant([np.size(answer)], "int64")
    shape = graph.add("Concat", rows, width, axis=0)
    return graph.add("Expand", graph.constant(np.reshape(answer, (1, -1))), shape)


def _prior(graph: Graph, x: str, model: DummyClassifier) -> str:
    return _same_for_all(graph, x, model.class_prior_)


def _mean(graph: Graph, x: str, model: DummyRegressor) -> str:
    return _same_for_all(graph, x, model.constant_)


def _tree(graph: Graph, x: str, model: Any) -> str:
    leaves = model.tree_.value[:, 0, :]
    return forest(graph, x, [sklearn_tree(model.tree_, leaves)], [0], leaves.shape[1])


def _reference_tree(graph: Graph, x: str, model: ReferenceDecisionTree) -> str:
    nodes = model.nodes_
    shares = nodes.counts / nodes.counts.sum(axis=1, keepdims=True)
    tree = Tree(nodes.feature, nodes.threshold, nodes.left, nodes.right, shares)
    return forest(graph, x, [tree], [0], shares.shape[1])


def _support_vector_number(graph: Graph, x: str, model: SVR) -> str:
    sums = kernel_sums(graph, x, model)
    return graph.add("Add", sums, graph.constant(model.intercept_))


def _unlike_the_bulk(graph: Graph, x: str, model: OneClassSVM) -> str:
    """Raw anomaly score: ``score_samples`` negated."""
    sums = kernel_sums(graph, x, model)
    moved = graph.add("Add", sums, graph.constant(model.intercept_ + model.offset_))
    return graph.add("Neg", moved)


def _anchors(graph: Graph, x: str, model: Assigned) -> str:
    if not len(model.anchors_):  # no row is in any cluster
        return _same_for_all(graph, x, [0.0])
    if model.anchors_.size > MOST_ANCHOR_NUMBERS:
        raise NoTwin(f"Its clusters rest on {len(model.anchors_):,} rows, more than a graph should hold.")
    return graph.add("Sqrt", squared_distances(graph, x, model.anchors_))


def _clouds(graph: Graph, x: str, model: Mixture) -> str:
    """Memberships and distances to the means, the heaviest cloud first."""
    mixture, order = model.mixture_, model.order_
    if mixture.covariance_type != "diag":
        raise NoTwin("Its clouds are turned in space.")
    means, precision = mixture.means_[order], mixture.precisions_cholesky_[order]
    scores = []
    for mean, root, weight in zip(means, precision, mixture.weights_[order], strict=True):
        apart = graph.add("Mul", graph.add("Sub", x, graph.constant(mean)), graph.constant(root))
        total = graph.add("ReduceSumSquare", apart, graph.constant([1], "int64"), keepdims=1)
        known = np.log(weight) + np.log(root).sum()
        scores.append(graph.add("Add", graph.add("Mul", total, graph.constant(-0.5)), graph.constant(known)))
    shares = graph.add("Softmax", graph.add("Concat", *scores, axis=1), axis=1)
    return graph.add("Concat", shares, graph.add("Sqrt", squared_distances(graph, x, means)), axis=1)


WRITERS: dict[type[Any], Writer] = {
    LogisticRegression: _logistic,
    GradientDescentLogisticRegression: _one_against_the_rest,
    SGDClassifier: _one_against_the_rest,
    **dict.fromkeys((LinearRegression, Ridge, Lasso, ElasticNet, SGDRegressor), _linear_number),
    MLPClassifier: _network,
    MLPRegressor: _network,
    Pipeline: _steps,
    FunctionTransformer: _cut,
    GaussianNB: _bell_curves,
    DummyClassifier: _prior,
    DummyRegressor: _mean,
    DecisionTreeClassifier: _tree,
    DecisionTreeRegressor: _tree,
    ReferenceDecisionTree: _reference_tree,
    SVC: support_vector_labels,
    MarginProbabilities: margin_probabilities,
    SVR: _support_vector_number,
    OneClassSVM: _unlike_the_bulk,
    Assigned: _anchors,
    Mixture: _clouds,
    **FORESTS,
}
