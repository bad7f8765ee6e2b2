"""ONNX files from outside: what their graphs may be made of, and how they are asked."""

from typing import Any

import msgspec
import numpy as np
import onnx
import pandas as pd
import pytest
from onnx import TensorProto, helper, numpy_helper

from registry.exchange.content import Refused
from registry.exchange.onnx_files import find_binding, parse_onnx, with_binding
from registry.inference.foreign import ForeignClassifier, ForeignRegressor, open_foreign
from registry.tabular.columns import Column, ColumnType

WEIGHTS = np.array([[1.0], [-2.0]])


def linear(*, opset: int = 18, names: tuple[str, ...] = ("x",), classes: bool = False) -> onnx.ModelProto:
    """y = a - 2 b, from one wide input or one input a column; of a classifier its sigmoid."""
    nodes = [] if len(names) == 1 else [helper.make_node("Concat", list(names), ["x"], axis=1)]
    nodes.append(helper.make_node("MatMul", ["x", "w"], ["s"]))
    nodes.append(
        helper.make_node("Sigmoid" if classes else "Identity", ["s"], ["probability" if classes else "y"])
    )
    width = 2 if len(names) == 1 else 1
    inputs = [helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width]) for name in names]
    output = helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.DOUBLE, [None, 1])
    graph = helper.make_graph(nodes, "linear", inputs, [output], [numpy_helper.from_array(WEIGHTS, "w")])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=10)


def columns(**kinds: str) -> list[Column]:
    return [Column(name, ColumnType(kind), nullable=True) for name, kind in kinds.items()]


def opened(model: onnx.ModelProto, asked: list[Column], classes: list[str] | None = None) -> Any:
    data = model.SerializeToString()
    parse_onnx(data)
    binding = find_binding(data, asked, classes)
    return open_foreign(with_binding(data, msgspec.json.encode(binding)))


FRAME = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 0.5]})


@pytest.mark.parametrize("names", [("x",), ("a", "b"), ("b", "a")])
def test_a_regression_is_asked_by_one_wide_input_or_by_name(names: tuple[str, ...]) -> None:
    model = opened(linear(names=names), columns(a="numeric", b="numeric"))
    assert isinstance(model, ForeignRegressor)
    a, b = (FRAME["a"], FRAME["b"]) if names != ("b", "a") else (FRAME["b"], FRAME["a"])
    np.testing.assert_allclose(model.predict(FRAME), a - 2 * b)


def test_one_probability_stands_for_two_classes() -> None:
    model = opened(linear(classes=True), columns(a="numeric", b="integer"), ["no", "yes"])
    assert isinstance(model, ForeignClassifier)
    shares = model.predict_proba(FRAME)
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    np.testing.assert_allclose(shares[:, 1], 1 / (1 + np.exp(-(FRAME["a"] - 2 * FRAME["b"]))))
    assert list(model.predict(FRAME)) == ["no", "yes"]


def test_columns_that_the_file_does_not_know_are_named() -> None:
    with pytest.raises(Refused, match=r"No column is called b.*does not take c"):
        opened(linear(names=("a", "b")), columns(a="numeric", c="numeric"))
    with pytest.raises(Refused, match="there are 3 columns"):
        opened(linear(), columns(a="numeric", b="numeric", c="numeric"))
    with pytest.raises(Refused, match="numbers, which b"):
        opened(linear(), columns(a="numeric", b="category"))
    with pytest.raises(Refused, match="dates"):
        opened(linear(), columns(a="numeric", b="date"))


def test_external_data_is_refused_wherever_it_stands() -> None:
    model = linear()
    tensor = model.graph.initializer[0]
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    with pytest.raises(Refused, match="another file"):
        parse_onnx(model.SerializeToString())
    model = linear()
    hidden = helper.make_tensor("t", TensorProto.DOUBLE, [1], [0.0])
    hidden.external_data.add(key="location", value="/etc/passwd")
    model.graph.node.append(helper.make_node("Constant", [], ["unused"], value=hidden))
    with pytest.raises(Refused, match="another file"):
        parse_onnx(model.SerializeToString())


def test_operators_that_are_not_standard_are_refused() -> None:
    model = linear()
    model.opset_import.append(helper.make_opsetid("com.evil", 1))
    with pytest.raises(Refused, match=r"com\.evil"):
        parse_onnx(model.SerializeToString())
    model = linear()
    model.graph.node[0].domain = "com.microsoft"
    with pytest.raises(Refused, match=r"com\.microsoft"):
        parse_onnx(model.SerializeToString())
    model = linear()
    model.functions.append(helper.make_function("own", "f", ["i"], ["o"], [], [helper.make_opsetid("", 18)]))
    with pytest.raises(Refused, match="operators of its own"):
        parse_onnx(model.SerializeToString())


@pytest.mark.parametrize("opset", [3, 200])
def test_releases_of_the_operators_have_bounds(opset: int) -> None:
    with pytest.raises(Refused, match=f"release {opset}"):
        parse_onnx(linear(opset=opset).SerializeToString())


def test_what_may_never_end_is_refused_within_a_branch_too() -> None:
    inner = helper.make_graph(
        [helper.make_node("Range", ["a", "b", "c"], ["r"])],
        "inner",
        [],
        [helper.make_tensor_value_info("r", TensorProto.DOUBLE, [None])],
    )
    model = linear()
    model.graph.node.append(helper.make_node("If", ["q"], ["z"], then_branch=inner, else_branch=inner))
    with pytest.raises(Refused, match="Range"):
        parse_onnx(model.SerializeToString())


def test_counts_and_sizes_have_bounds() -> None:
    model = linear()
    for place in range(20_001):
        model.graph.node.append(helper.make_node("Identity", ["s"], [f"n{place}"]))
    with pytest.raises(Refused, match="nodes"):
        parse_onnx(model.SerializeToString())
    model = linear()
    model.graph.initializer[0].dims[:] = [1 << 40, 1 << 20]
    with pytest.raises(Refused, match="numbers"):
        parse_onnx(model.SerializeToString())
    model.graph.initializer[0].dims[:] = [-1, 2]
    with pytest.raises(Refused, match="impossible"):
        parse_onnx(model.SerializeToString())


def test_damaged_and_empty_files_are_refused() -> None:
    data = linear().SerializeToString()
    for broken in (
        data[:-20],
        b"\x08\x0a" + b"\xff" * 50,
        onnx.ModelProto(ir_version=10).SerializeToString(),
    ):
        with pytest.raises(Refused):
            parse_onnx(broken)


def test_a_file_that_says_for_itself_how_it_is_asked_is_refused() -> None:
    data = with_binding(linear().SerializeToString(), b"{}")
    with pytest.raises(Refused, match="this platform's own"):
        parse_onnx(data)


def test_a_list_of_tables_instead_of_probabilities_says_what_to_do() -> None:
    model = linear(classes=True)
    model.graph.output[0].type.CopyFrom(
        helper.make_sequence_type_proto(helper.make_tensor_type_proto(TensorProto.DOUBLE, [None, 1]))
    )
    model.graph.node[-1].CopyFrom(helper.make_node("SequenceConstruct", ["s"], ["probability"]))
    with pytest.raises(Refused, match="zipmap"):
        opened(model, columns(a="numeric", b="numeric"), ["no", "yes"])
