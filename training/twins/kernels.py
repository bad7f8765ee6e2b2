"""Support vector machines as graphs."""

from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from onnx import TensorProto
from sklearn.svm import SVC

from registry.inference.errors import NoTwin
from training.algorithms.margins import MarginProbabilities
from training.twins.graph import Graph, squared_distances, to_sum_one, two_classes

Floats = npt.NDArray[np.float64]


def kernel_sums(graph: Graph, x: str, model: Any) -> str:
    """The weighted sum (n, 1) of each row's likeness to the support vectors; raises NoTwin."""
    weights = graph.constant(np.asarray(model.dual_coef_).reshape(-1, 1))
    return graph.add("MatMul", _likeness(graph, x, model), weights)


def _likeness(graph: Graph, x: str, model: Any) -> str:
    vectors: npt.NDArray[Any] = np.asarray(model.support_vectors_)
    if model.kernel == "rbf":
        far = squared_distances(graph, x, vectors)
        return graph.add("Exp", graph.add("Mul", far, graph.constant(-model._gamma)))
    alike = graph.add("MatMul", x, graph.constant(vectors.T))
    if model.kernel == "linear":
        return alike
    if model.kernel == "sigmoid":
        scaled = graph.add("Mul", alike, graph.constant(model._gamma))
        return graph.add("Tanh", graph.add("Add", scaled, graph.constant(float(model.coef0))))
    raise NoTwin(f"Its kernel {model.kernel} cannot be expressed in ONNX here.")


def support_vector_labels(graph: Graph, x: str, model: SVC) -> str:
    """Places of the labels (n, 1): each pair of classes has a vote, and the first of equals wins (libsvm)."""
    votes, _ = _votes(graph, _pairs(graph, x, model), len(model.classes_))
    return graph.add("Cast", graph.add("ArgMax", votes, axis=1, keepdims=1), to=TensorProto.DOUBLE)


def margin_probabilities(graph: Graph, x: str, model: MarginProbabilities) -> str:
    """Probabilities (n, classes): Platt's curve over each class's margin, scaled to sum to 1."""
    [curves] = model.curves_.calibrated_classifiers_
    machine = getattr(curves.estimator, "estimator", curves.estimator)  # within a frozen one
    if not isinstance(machine, SVC):
        raise NoTwin(f"The margins of a {type(machine).__name__} cannot be expressed in ONNX here.")
    slopes = graph.constant([-curve.a_ for curve in curves.calibrators])
    shifts = graph.constant([-curve.b_ for curve in curves.calibrators])
    margins = _margins(graph, x, machine)
    chances = graph.add("Sigmoid", graph.add("Add", graph.add("Mul", margins, slopes), shifts))
    if len(machine.classes_) == 2:
        return two_classes(graph, chances)
    return to_sum_one(graph, chances, len(machine.classes_))


def _margins(graph: Graph, x: str, model: SVC) -> str:
    """The decision function: (n, 1) for two classes, else votes with the pairs' margins as tie-breakers."""
    sums = _pairs(graph, x, model)
    if len(model.classes_) == 2:
        return graph.add("Neg", sums)
    votes, signs = _votes(graph, sums, len(model.classes_))
    trust = graph.add("MatMul", sums, graph.constant(signs))
    size = graph.add("Add", graph.add("Abs", trust), graph.constant(1.0))
    bounded = graph.add("Div", trust, graph.add("Mul", size, graph.constant(3.0)))
    return graph.add("Add", votes, bounded)


def _pairs(graph: Graph, x: str, model: SVC) -> str:
    """How far each pair of classes speaks for its first one, (n, pairs)."""
    pairs = list(combinations(range(len(model.classes_)), 2))
    ends = np.cumsum([0, *model.n_support_])
    # Before scikit-learn turns the signs of two classes round.
    coefficients, shift = model._dual_coef_, model._intercept_
    weights = np.zeros((ends[-1], len(pairs)))
    for pair, (one, two) in enumerate(pairs):
        ones, twos = slice(ends[one], ends[one + 1]), slice(ends[two], ends[two + 1])
        weights[ones, pair], weights[twos, pair] = coefficients[two - 1, ones], coefficients[one, twos]
    alike = _likeness(graph, x, model)
    return graph.add("Add", graph.add("MatMul", alike, graph.constant(weights)), graph.constant(shift))


def _votes(graph: Graph, sums: str, classes: int) -> tuple[str, Floats]:
    """The votes for each class (n, classes), and which sign each pair's margin has for it."""
    pairs = list(combinations(range(classes), 2))
    first, second = np.zeros((len(pairs), classes)), np.zeros((len(pairs), classes))
    for pair, (one, two) in enumerate(pairs):
        first[pair, one], second[pair, two] = 1, 1
    ahead = graph.add("Cast", graph.add("Greater", sums, graph.constant(0.0)), to=TensorProto.DOUBLE)
    counted = graph.add("MatMul", ahead, graph.constant(first - second))
    return graph.add("Add", counted, graph.constant(second.sum(axis=0))), first - second
