"""Rows as they come, as a table of plain columns."""

import uuid
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pytest

from tests.training.sources.places import budget
from training.errors import SourceDown, SourceRefused
from training.sources.gathering import Gathering


def gathered(*batches: list[dict[str, Any]]) -> Any:
    gathering = Gathering(budget())
    for batch in batches:
        gathering.add_records(batch)
    return gathering.frame()


def test_kinds_of_values_become_plain_columns() -> None:
    moment = datetime(2026, 1, 2, 3, tzinfo=UTC)
    row = {
        "whole": 1,
        "broken": Decimal("1.5"),
        "truth": True,
        "text": "a",
        "moment": moment,
        "day": date(2026, 1, 2),
        "time": time(1, 2),
        "id": uuid.UUID(int=1),
        "list": [1, "x"],
        "deep": {"a": {"b": {"c": 1}}},
        "none": None,
        "huge": 2**70,
        "nan": float("nan"),
        "lone": "\ud800",
    }
    frame = gathered([row])
    assert frame.dtypes.astype(str).to_dict() == {
        "whole": "int64", "broken": "float64", "truth": "boolean", "text": "str",
        "moment": "datetime64[us, UTC]", "day": "datetime64[ms]", "time": "str", "id": "str", "list": "str",
        "deep.a.b": "str", "none": "float64",
        "huge": "float64", "nan": "float64", "lone": "str",
    }  # fmt: skip
    assert frame.iloc[0]["deep.a.b"] == '{"c": 1}'


def test_batches_of_other_kinds_meet_in_one_column() -> None:
    frame = gathered([{"a": 1, "b": None, "c": 1}], [{"a": 1.5, "b": "x", "d": True}], [{"c": "word"}])
    assert frame["a"].tolist()[:2] == [1.0, 1.5]
    assert frame["c"].tolist()[0] == "1"
    assert frame["c"].tolist()[2] == "word"
    assert list(frame.columns) == ["a", "b", "c", "d"]


@pytest.mark.parametrize(
    "row",
    [{"a": b"x"}, {"a": float("inf")}, {"a": "\x00"}, {"": 1}, {"a\n": 1}, {"x" * 201: 1}, 5, "text", {}],
)
def test_what_is_no_row_of_a_table_is_refused(row: Any) -> None:
    with pytest.raises(SourceRefused):
        gathered([row])


def test_two_columns_of_one_name_are_refused() -> None:
    with pytest.raises(SourceRefused, match="Two columns"):
        Gathering(budget()).add(["a", "a"], [(1, 2)])


def test_caps_hold() -> None:
    rows = [{"a": number} for number in range(100)]
    with pytest.raises(SourceRefused, match="more than 99 rows"):
        Gathering(budget(rows=99)).add_records(rows)
    with pytest.raises(SourceRefused, match="more than 100 bytes"):
        Gathering(budget(bytes=100)).add_records(rows)
    with pytest.raises(SourceDown, match="longer than 0 seconds"):
        Gathering(budget(seconds=0)).add_records(rows)
    sampled = Gathering(budget(rows=99, sample=20))
    sampled.add_records(rows)
    assert len(sampled.frame()) == 20
