"""MLflow's four JSON forms say the same rows."""

from typing import Any

import pytest

from registry.errors import InvalidRows
from registry.protocols.json_forms import rows_in
from registry.tabular.schema import Column, ColumnType

COLUMNS = [
    Column("case", ColumnType.identifier, nullable=True),
    Column("age", ColumnType.numeric, nullable=False),
    Column("ward", ColumnType.category, nullable=True),
]
ROWS = [{"age": 40, "ward": "a"}, {"age": 50.5, "ward": None}]


@pytest.mark.parametrize(
    "body",
    [
        {"dataframe_split": {"columns": ["age", "ward"], "data": [[40, "a"], [50.5, None]], "index": [0, 1]}},
        {"dataframe_records": ROWS},
        {"instances": ROWS},
        {"instances": [[40, "a"], [50.5, None]], "signature_name": "serving_default"},
        {"inputs": {"age": [40, 50.5], "ward": ["a", None]}},
        {"inputs": {"age": [[40], [50.5]], "ward": [["a"], [None]]}},
        {"inputs": [[40, "a"], [50.5, None]], "params": {}},
        {"inputs": ROWS},
    ],
)
def test_each_form_gives_the_rows(body: dict[str, Any]) -> None:
    assert rows_in(body, COLUMNS, 2) == ROWS


@pytest.mark.parametrize("form", ["instances", "inputs"])
def test_single_values_are_rows_of_a_model_that_looks_at_one_column(form: str) -> None:
    assert rows_in({form: [1, 2]}, COLUMNS[:2], 2) == [{"age": 1}, {"age": 2}]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ([], "wrong_form"),
        ({}, "wrong_form"),
        ({"instances": ROWS, "inputs": ROWS}, "wrong_form"),
        ({"instances": ROWS, "tenant": 2}, "unknown"),
        ({"dataframe_split": []}, "wrong_form"),
        ({"dataframe_split": {"columns": ["age"]}}, "wrong_form"),
        ({"dataframe_split": {"columns": ["age"], "data": [[1]], "more": 1}}, "wrong_form"),
        ({"dataframe_split": {"columns": [1], "data": [[1]]}}, "wrong_form"),
        ({"dataframe_split": {"columns": ["age", "age"], "data": [[1, 1]]}}, "twice"),
        ({"dataframe_split": {"columns": ["age"], "data": [[1, 2]]}}, "wrong_shape"),
        ({"dataframe_split": {"columns": ["age"], "data": [1]}}, "wrong_shape"),
        ({"dataframe_records": {}}, "wrong_form"),
        ({"dataframe_records": []}, "wrong_number"),
        ({"dataframe_records": ROWS * 2}, "wrong_number"),
        ({"instances": [[1]]}, "wrong_shape"),
        ({"instances": None}, "wrong_form"),
        ({"inputs": 5}, "wrong_form"),
        ({"inputs": {}}, "wrong_form"),
        ({"inputs": {"age": 1}}, "wrong_form"),
        ({"inputs": {"age": [1, 2], "ward": ["a"]}}, "wrong_shape"),
        ({"inputs": {"age": [1] * 4}}, "wrong_number"),
        ({"inputs": {"age": []}}, "wrong_number"),
    ],
)
def test_what_is_no_form_is_refused(body: Any, code: str) -> None:
    with pytest.raises(InvalidRows) as refused:
        rows_in(body, COLUMNS, 3)
    assert refused.value.errors[0]["code"] == code
