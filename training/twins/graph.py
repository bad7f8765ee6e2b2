"""Writing an ONNX graph, node by node."""

from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper

OPSET, ML_OPSET, IR_VERSION = 18, 5, 10
ML = "ai.onnx.ml"


class Graph:
    """Nodes and constants of one model; every name is made here, so members never clash."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._inputs: list[onnx.ValueInfoProto] = []
        self._outputs: list[onnx.ValueInfoProto] = []
        self._count = 0

    def input(self, name: str, width: int) -> str:
        """Declare rows of numbers (n, width)."""
        self._inputs.append(helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width]))
        return name

    def output(self, name: str, value: str) -> None:
        """Name a value, numbers (n, any), as an answer."""
        self._nodes.append(helper.make_node("Identity", [value], [name]))
        self._outputs.append(helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, None]))

    def constant(self, values: Any, kind: str = "float64") -> str:
        """Keep an array in the graph."""
        name = self._name()
        self._constants.append(numpy_helper.from_array(np.asarray(values, dtype=kind), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output, and return its name."""
        name = self._name()
        self._nodes.append(helper.make_node(operator, list(inputs), [name], domain=domain, **attributes))
        return name

    def model(self, about: dict[str, str]) -> bytes:
        """Return the file, with this metadata."""
        graph = helper.make_graph(self._nodes, "twin", self._inputs, self._outputs, self._constants)
        versions = [helper.make_opsetid("", OPSET), helper.make_opsetid(ML, ML_OPSET)]
        model = helper.make_model(
            graph, opset_imports=versions, ir_version=IR_VERSION, producer_name="mlplatform"
        )
        helper.set_model_props(model, about)
        data: bytes = model.SerializeToString()
        return data

    def _name(self) -> str:
        self._count += 1
        return f"v{self._count}"


def linear(graph: Graph, x: str, coefficients: npt.NDArray[Any], shift: npt.NDArray[Any]) -> str:
    """``x @ coefficients.T + shift``: (n, outputs) of coefficients (outputs, d) and shifts (outputs,)."""
    weights = graph.constant(np.atleast_2d(coefficients).T)
    moved = graph.constant(np.atleast_1d(shift))
    return graph.add("Add", graph.add("MatMul", x, weights), moved)


def two_classes(graph: Graph, yes: str) -> str:
    """Probabilities (n, 2) from those of the second class (n, 1)."""
    no = graph.add("Sub", graph.constant(1.0), yes)
    return graph.add("Concat", no, yes, axis=1)


def to_sum_one(graph: Graph, chances: str, classes: int) -> str:
    """Rows (n, classes) divided by their sum, even where all are 0."""
    total = graph.add("ReduceSum", chances, graph.constant([1], "int64"), keepdims=1)
    nothing = graph.add("Equal", total, graph.constant(0.0))
    even = graph.constant(np.full(classes, 1 / classes))
    return graph.add("Where", nothing, even, graph.add("Div", chances, total))


def squared_distances(graph: Graph, x: str, points: npt.NDArray[Any]) -> str:
    """(n, points): the sum of squared differences, without the shortcut that loses digits."""
    apart = graph.add("Sub", graph.add("Unsqueeze", x, graph.constant([1], "int64")), graph.constant(points))
    return graph.add("ReduceSumSquare", apart, graph.constant([2], "int64"), keepdims=0)
