"""Rows of a client against the columns of a version."""

import json
import math
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.inference.schema import MAX_ERRORS, check_rows, rows_frame
from registry.tabular.schema import Column, ColumnType, coerce_frame

AGE = Column("age", ColumnType.numeric, nullable=True)
VISITS = Column("visits", ColumnType.integer, nullable=False)
SMOKER = Column("smoker", ColumnType.boolean, nullable=True)
WARD = Column("ward", ColumnType.category, nullable=True, categories=("north", "2"))
NOTE = Column("note", ColumnType.text, nullable=True)
SEEN = Column("seen", ColumnType.date, nullable=True)
CASE = Column("case", ColumnType.identifier, nullable=False)
COLUMNS = [AGE, VISITS, SMOKER, WARD, NOTE, SEEN, CASE]
ROW: dict[str, Any] = {
    "age": 41.5,
    "visits": 3,
    "smoker": False,
    "ward": "north",
    "note": "slept well",
    "seen": "2026-01-31T08:00:00Z",
}


def codes(**changes: Any) -> dict[str | None, str]:
    """What is wrong with the row after these changes, by field."""
    return {error["field"]: error["code"] for error in check_rows([{**ROW, **changes}], COLUMNS)}


def test_a_fitting_row_has_no_errors() -> None:
    assert check_rows([ROW], COLUMNS) == []


@pytest.mark.parametrize(
    ("field", "value", "code"),
    [
        ("age", "41.5", "wrong_type"),
        ("age", True, "wrong_type"),
        ("age", [41.5], "wrong_type"),
        ("age", {}, "wrong_type"),
        ("age", math.nan, "not_finite"),
        ("age", -math.inf, "not_finite"),
        ("age", 2**53 + 1, "too_large"),
        ("age", 10**400, "too_large"),
        ("visits", None, "null"),
        ("smoker", 1, "wrong_type"),
        ("smoker", "true", "wrong_type"),
        ("ward", 3, "wrong_type"),
        ("ward", ["north"], "wrong_type"),
        ("ward", "x" * 10_001, "too_long"),
        ("note", "a\x00b", "nul"),
        ("note", "\ud800", "not_unicode"),
        ("seen", 1_769_846_400, "wrong_type"),
        ("seen", "31.01.2026", "not_a_date"),
        ("seen", "2026-02-30", "not_a_date"),
        ("seen", "0000-01-01", "not_a_date"),
        ("seen", "0001-01-01T00:00:00+14:00", "not_a_date"),
        ("seen", "2026-01-31T23:59:60Z", "not_a_date"),
        ("seen", "٢٠٢٦-01-31", "not_a_date"),
        ("case", {"a": 1}, "wrong_type"),
        ("patient", 1, "unknown"),
    ],
)
def test_an_unfitting_value_is_named(field: str, value: Any, code: str) -> None:
    assert codes(**{field: value}) == {field: code}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("age", None),
        ("age", -0.0),
        ("age", 2**53),
        ("visits", 3.5),
        ("ward", 2),
        ("ward", "a ward never seen"),
        ("ward", " "),
        ("note", "👩‍🚀 ok"),
        ("seen", "9999-12-31"),
        ("seen", "2026-01-31 08:00"),
        ("case", "a-17"),
        ("case", 17),
        ("case", None),
    ],
)
def test_a_fitting_value_is_taken(field: str, value: Any) -> None:
    assert codes(**{field: value}) == {}


def test_a_misspelt_name_gets_a_suggestion() -> None:
    row = {**ROW, "Visits": ROW["visits"]}
    del row["visits"]
    by_code = {error["code"]: error["message"] for error in check_rows([row], COLUMNS)}
    assert "Did you mean 'visits'?" in by_code["unknown"]
    assert "missing" in by_code


def test_a_blank_text_counts_as_missing() -> None:
    column = Column("ward", ColumnType.category, nullable=False, categories=("north",))
    [error] = check_rows([{"ward": "  "}], [column])
    assert error["code"] == "null"


def test_errors_carry_the_row_and_stop_at_a_hundred() -> None:
    errors = check_rows([{}] * 1000, COLUMNS)
    assert len(errors) == MAX_ERRORS
    assert [error["row"] for error in errors[:7]] == [0] * 6 + [1]


@pytest.mark.parametrize("row", [None, 1, "row", ["age"]])
def test_a_row_that_is_no_object_is_named(row: Any) -> None:
    assert check_rows([ROW, row], COLUMNS)[0]["code"] == "not_an_object"


def test_names_in_errors_can_be_printed() -> None:
    [error] = check_rows([{**ROW, "\x1b[31m\ud800" + "x" * 500: 1}], COLUMNS)
    error["field"].encode()
    assert error["field"].isprintable()
    assert len(error["field"]) == 100


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
NAMES = st.sampled_from([column.name for column in COLUMNS]) | st.text(max_size=8)


@settings(deadline=None)
@given(st.lists(JSON | st.dictionaries(NAMES, JSON, max_size=8), max_size=4))
def test_whatever_is_sent_gets_an_answer_that_can_be_sent_back(rows: list[Any]) -> None:
    errors = check_rows(rows, COLUMNS)
    assert json.loads(json.dumps(errors, allow_nan=False)) == errors
    for error in errors:
        assert set(error) == {"row", "field", "code", "message"}
        assert 0 <= error["row"] < len(rows)
        assert error["message"].endswith((".", "?"))


@settings(deadline=None)
@given(st.dictionaries(NAMES, JSON, max_size=8))
def test_rows_without_errors_can_be_asked(row: dict[str, Any]) -> None:
    sent = {**ROW, **row}
    if not check_rows([sent], COLUMNS):
        assert len(rows_frame([sent], COLUMNS)) == 1


VALUES: dict[str, st.SearchStrategy[Any]] = {
    "age": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(2**53), 2**53),
    "visits": st.integers(-(2**53), 2**53),
    "smoker": st.none() | st.booleans(),
    "ward": st.none() | st.text(alphabet="abc 2", max_size=5) | st.just(2),
    "note": st.none() | st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"]), max_size=20),
    "seen": st.none() | st.datetimes().map(lambda moment: moment.isoformat(timespec="seconds")),
    "case": st.none() | st.text(alphabet="ab", max_size=3),
}


@given(st.lists(st.fixed_dictionaries(VALUES), min_size=1, max_size=5))
def test_checked_rows_become_the_frame_that_training_would_see(rows: list[dict[str, Any]]) -> None:
    assert check_rows(rows, COLUMNS) == []
    fast = rows_frame(rows, COLUMNS)
    slow = coerce_frame(pd.DataFrame(rows, columns=[column.name for column in COLUMNS]), COLUMNS)
    pd.testing.assert_frame_equal(fast, slow)


def test_one_row_of_very_many_wrong_names_costs_no_more_than_a_hundred_errors() -> None:
    row = {f"name_{number}": 1 for number in range(200_000)}
    columns = [Column(name=f"column_{number}", type=ColumnType.numeric, nullable=True) for number in range(5)]
    assert len(check_rows([row], columns)) == MAX_ERRORS
