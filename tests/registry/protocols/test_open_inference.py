"""Tensors in, rows out; answers in, tensors out."""

import json
import struct
from typing import Any

import numpy as np
import pytest

from registry.errors import InvalidRows
from registry.gates.schema_compatible import _INTERCHANGEABLE
from registry.protocols.answer_tensors import chosen_outputs, encoded, output_metadata, output_tensors
from registry.protocols.open_inference import Asked, input_metadata, read_request, rows_of
from registry.protocols.tables import csv_rows
from registry.protocols.tensors import DATATYPES
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType

COLUMNS = [
    Column("age", ColumnType.integer, nullable=False),
    Column("dose", ColumnType.numeric, nullable=True),
    Column("smoker", ColumnType.boolean, nullable=False),
    Column("ward", ColumnType.category, nullable=False, categories=("a", "3")),
    Column("day", ColumnType.date, nullable=False),
    Column("case", ColumnType.identifier, nullable=False),
]
NUMBERS = [Column(name, ColumnType.numeric, nullable=True) for name in ("x", "y", "z")]


def tensor(
    name: str, datatype: str, data: Any, shape: list[int] | None = None, **more: Any
) -> dict[str, Any]:
    return {"name": name, "datatype": datatype, "shape": shape or [len(data)], "data": data, **more}


def asked(
    *inputs: dict[str, Any], columns: list[Column] = COLUMNS, binary: bytes = b"", most: int = 10, **more: Any
) -> Asked:
    return rows_of(read_request({"inputs": list(inputs), **more}), binary, columns, most)


def refusal(*inputs: dict[str, Any], **more: Any) -> list[tuple[int | None, str | None, str]]:
    with pytest.raises(InvalidRows) as refused:
        asked(*inputs, **more)
    return [(one["row"], one["field"], one["code"]) for one in refused.value.errors]


def test_a_tensor_for_each_column_makes_rows() -> None:
    found = asked(
        tensor("age", "INT64", [40, 50]),
        tensor("dose", "FP64", [[1.5], [None]], [2, 1]),
        tensor("smoker", "BOOL", [True, False]),
        tensor("ward", "BYTES", ["a", "new"]),
        tensor("day", "BYTES", ["2026-01-31", "2026-02-01"]),
    )
    assert found.rows == [
        {"age": 40, "dose": 1.5, "smoker": True, "ward": "a", "day": "2026-01-31"},
        {"age": 50, "dose": None, "smoker": False, "ward": "new", "day": "2026-02-01"},
    ]
    assert found.entity_keys is None


def test_the_names_of_the_cases_are_a_tensor_of_their_own() -> None:
    found = asked(tensor("x", "FP32", [1]), tensor("entity_key", "BYTES", ["anna"]), columns=NUMBERS)
    assert (found.rows, found.entity_keys) == ([{"x": 1}], ["anna"])


def test_a_column_that_is_called_so_stays_a_column() -> None:
    columns = [*NUMBERS, Column("entity_key", ColumnType.text, nullable=True)]
    found = asked(tensor("entity_key", "BYTES", ["anna"]), columns=columns)
    assert (found.rows, found.entity_keys) == ([{"entity_key": "anna"}], None)


@pytest.mark.parametrize(
    ("stated", "names"),
    [
        (["y", "x"], ["y", "x"]),
        ("y, x", ["y", "x"]),
        ('["y", "x"]', ["y", "x"]),
    ],
)
@pytest.mark.parametrize("of_request", [False, True])
def test_one_tensor_holds_the_columns_that_it_names(stated: Any, names: list[str], of_request: bool) -> None:
    named: dict[str, Any] = {"parameters": {"columns": stated}}
    matrix = tensor("input", "FP64", [[1, 2], [3, 4]], [2, 2], **({} if of_request else named))
    found = asked(matrix, columns=NUMBERS, **(named if of_request else {}))
    assert found.rows == [dict(zip(names, row, strict=True)) for row in ([1, 2], [3, 4])]


@pytest.mark.parametrize("data", [[1, 2, 3, 4, 5, 6], [[1, 2, 3], [4, 5, 6]]])
def test_without_names_a_tensor_holds_what_the_model_looks_at(data: list[Any]) -> None:
    columns = [Column("case", ColumnType.identifier, nullable=False), *NUMBERS]
    found = asked(tensor("input-0", "FP64", data, [2, 3]), columns=columns)
    assert found.rows == [{"x": 1, "y": 2, "z": 3}, {"x": 4, "y": 5, "z": 6}]


@pytest.mark.parametrize("datatype", [one for one in DATATYPES if one not in {"BYTES", "BOOL"}])
def test_values_come_as_bytes_of_every_datatype(datatype: str) -> None:
    numpy_name = {"FP16": "<f2", "FP32": "<f4", "FP64": "<f8"}.get(datatype) or datatype.lower()
    sent = np.array([1, 2], dtype=numpy_name).tobytes()
    matrix = {
        "name": "x",
        "datatype": datatype,
        "shape": [2],
        "parameters": {"binary_data_size": len(sent)},
    }
    assert asked(matrix, binary=sent, columns=NUMBERS).rows == [{"x": 1}, {"x": 2}]


def test_texts_and_truths_come_as_bytes_one_tensor_after_the_other() -> None:
    texts = b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in ("süd", ""))
    ward = {"name": "ward", "datatype": "BYTES", "shape": [2], "parameters": {"binary_data_size": len(texts)}}
    smoker = {"name": "smoker", "datatype": "BOOL", "shape": [2], "parameters": {"binary_data_size": 2}}
    found = asked(ward, smoker, binary=texts + b"\x01\x00")
    assert found.rows == [{"ward": "süd", "smoker": True}, {"ward": "", "smoker": False}]


@pytest.mark.parametrize(
    ("inputs", "errors"),
    [
        ([tensor("age", "INT64", [1], [2])], [(None, "age", "wrong_shape")]),
        ([tensor("age", "INT64", [[1], [2, 3]], [2, 1])], [(None, "age", "wrong_shape")]),
        ([tensor("age", "INT64", 5, [1])], [(None, "age", "wrong_shape")]),
        ([tensor("age", "INT64", [[[1]]], [1, 1, 1])], [(None, "age", "wrong_shape")]),
        ([tensor("age", "INT64", [], [0])], [(None, "rows", "wrong_number")]),
        ([tensor("age", "INT64", [1] * 11)], [(None, "rows", "wrong_number")]),
        ([tensor("age", "INT64", [1], [10**15])], [(None, "rows", "wrong_number")]),
        ([tensor("age", "INT64", [1, 2]), tensor("dose", "FP64", [1])], [(None, "dose", "wrong_shape")]),
        ([tensor("age", "INT64", [1]), tensor("age", "INT64", [1])], [(None, "age", "twice")]),
        ([tensor("age", "INT7", [1])], [(None, "age", "wrong_datatype")]),
        ([tensor("age", "BYTES", ["1"])], [(None, "age", "wrong_datatype")]),
        ([tensor("smoker", "INT8", [1])], [(None, "smoker", "wrong_datatype")]),
        ([tensor("day", "INT64", [20260101])], [(None, "day", "wrong_datatype")]),
        (
            [tensor("age", "INT64", [1, 1.5, "2", True])],
            [(place, "age", "wrong_datatype") for place in (1, 2, 3)],
        ),
        ([tensor("age", "UINT8", [255, 256, -1])], [(place, "age", "wrong_datatype") for place in (1, 2)]),
        ([tensor("smoker", "BOOL", [True, 1])], [(1, "smoker", "wrong_datatype")]),
        ([tensor("ward", "BYTES", ["a", 3])], [(1, "ward", "wrong_datatype")]),
        ([tensor("dose", "FP64", [[1, 2]], [1, 2])], [(None, "dose", "wrong_shape")]),
        (
            [tensor("dose", "FP64", [1, 2], [1, 2], parameters={"columns": "a"})],
            [(None, "dose", "wrong_shape")],
        ),
        ([tensor("dose", "FP64", [1, 2], [1, 2], parameters={"columns": "a,a"})], [(None, "a", "twice")]),
        ([tensor("dose", "FP64", [1, 2], [1, 2], parameters={"columns": 3})], [(None, "dose", "wrong_form")]),
        (
            [tensor("dose", "FP64", [1, 2], [1, 2], parameters={"columns": "[1"})],
            [(None, "dose", "wrong_form")],
        ),
        ([{"name": "age", "datatype": "INT64", "shape": [1]}], [(None, "age", "missing")]),
        ([tensor("entity_key", "BYTES", ["a"])], [(None, "inputs", "missing")]),
    ],
)
def test_what_does_not_fit_is_named(
    inputs: list[dict[str, Any]], errors: list[tuple[int | None, str | None, str]]
) -> None:
    assert refusal(*inputs) == errors


@pytest.mark.parametrize(
    ("size", "binary"), [(8, b"1234567"), (7, b"1234567"), (-1, b""), ("8", b"12345678"), (8, b"123456789")]
)
def test_bytes_that_do_not_fit_the_shape_are_refused(size: Any, binary: bytes) -> None:
    matrix = {"name": "x", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": size}}
    [(_, _, code)] = refusal(matrix, binary=binary, columns=NUMBERS)
    assert code == "wrong_shape"


@pytest.mark.parametrize("binary", [b"\x05\x00\x00\x00abc", b"\x01\x00\x00", b"\x02\x00\x00\x00\xff\xfe"])
def test_bytes_that_are_no_texts_are_refused(binary: bytes) -> None:
    ward = {
        "name": "ward",
        "datatype": "BYTES",
        "shape": [1],
        "parameters": {"binary_data_size": len(binary)},
    }
    assert refusal(ward, binary=binary) == [(0, "ward", "wrong_datatype")]


@pytest.mark.parametrize(
    "body",
    [
        [],
        {},
        {"inputs": []},
        {"inputs": [{"name": "x"}]},
        {"inputs": [tensor("x", "FP64", [1])], "tenant": 2},
        {"inputs": [tensor("x", "FP64", [1], [-1])]},
    ],
)
def test_what_is_no_request_is_refused(body: Any) -> None:
    with pytest.raises(InvalidRows):
        read_request(body)


ROWS = [
    {
        "id": f"id-{place}",
        "version": 1,
        "label": label,
        "value": None,
        "probabilities": {"no": 1 - share, "yes": share},
        "interval": None,
        "possible": [label],
        "explanation": {"base": 0.5},
    }
    for place, (label, share) in enumerate((("no", 0.25), ("yes", 0.75)))
]


def test_answers_become_tensors_with_the_answer_first() -> None:
    found = {one.name: one for one in output_tensors(ROWS, "classification")}
    assert [*found] == ["label", "probabilities", "possible", "explanation", "prediction_id"]
    shares = found["probabilities"]
    assert (shares.shape, shares.values) == ([2, 2], [0.75, 0.25, 0.25, 0.75])
    assert json.loads(shares.parameters["columns"]) == ["no", "yes"]
    assert found["prediction_id"].values == ["id-0", "id-1"]


def test_anomalies_clusters_and_numbers_have_tensors_of_their_own() -> None:
    plain = {"id": "1", "version": 1, "label": None, "value": 2.5, "probabilities": None, "interval": [1, 3]}
    plain |= {"possible": None, "explanation": None}
    named = {"is_anomaly": True, "score": 0.9, "cluster": "cluster 1", "distance": 0.1}
    for kind, names in (
        ("regression", ["value", "interval"]),
        ("anomaly_detection", ["is_anomaly", "score", "interval"]),
        ("clustering", ["cluster", "distance", "interval"]),
    ):
        assert [one.name for one in output_tensors([plain | named], kind)] == [*names, "prediction_id"]


def test_wanted_tensors_come_in_their_order_and_as_bytes_where_asked() -> None:
    sent = {
        "inputs": [tensor("x", "FP64", [1])],
        "outputs": [
            {"name": "prediction_id", "parameters": {"binary_data": True}},
            {"name": "probabilities", "parameters": {"binary_data": True}},
            {"name": "label"},
        ],
    }
    outputs = chosen_outputs(read_request(sent), output_tensors(ROWS, "classification"))
    content, length = encoded({"model_name": "m"}, outputs)
    told = json.loads(content[:length])
    sizes = [one.get("parameters", {}).get("binary_data_size") for one in told["outputs"]]
    assert sizes == [2 * (4 + 4), 4 * 8, None]
    assert "data" not in told["outputs"][0]
    assert told["outputs"][2]["data"] == ["no", "yes"]
    rest = content[length + sizes[0] :]
    assert np.frombuffer(rest, "<f8").tolist() == [0.75, 0.25, 0.25, 0.75]


def test_metadata_name_what_is_looked_at_and_what_is_answered() -> None:
    told = {one["name"]: one["datatype"] for one in input_metadata(COLUMNS)}
    assert told == {"age": "INT64", "dose": "FP64", "smoker": "BOOL", "ward": "BYTES", "day": "BYTES"}
    answers = {one["name"]: one["shape"] for one in output_metadata("classification", 2)}
    assert answers == {"label": [-1], "probabilities": [-1, 2], "prediction_id": [-1]}
    assert [one["name"] for one in output_metadata("regression", None)] == ["value", "prediction_id"]


@pytest.mark.parametrize("kinds", sorted(map(sorted, _INTERCHANGEABLE)))
def test_columns_that_a_challenger_may_read_either_way_give_the_same_rows(kinds: list[str]) -> None:
    """A rollout's rows are read by the champion's columns before anybody knows who answers them."""
    numbers = kinds[0] in NUMBER_TYPES
    datatype, data = ("FP64", [1.5, 2.0, None]) if numbers else ("BYTES", ["1", "two", None])
    lines = "\n".join(["x", *('""' if value is None else str(value) for value in data)])
    readings = []
    for kind in kinds:
        columns = [Column("x", ColumnType(kind), nullable=True, categories=("1", "two"))]
        asked = read_request({"inputs": [tensor("x", datatype, data)]})
        tensors = rows_of(asked, b"", columns, 10).rows
        readings.append((tensors, csv_rows(lines.encode(), columns, 10)))
    assert readings[0] == readings[1]
