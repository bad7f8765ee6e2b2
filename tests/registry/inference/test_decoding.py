"""The quick decoder takes what the exact checks take, and nothing else."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from registry.inference.decoding import RowDecoder, read_request
from registry.inference.schema import check_rows
from registry.tabular.columns import Column, ColumnType

COLUMNS = [
    Column("age", ColumnType.numeric, nullable=False),
    Column("weight in kg", ColumnType.integer, nullable=True),
    Column("smoker", ColumnType.boolean, nullable=False),
    Column("ward", ColumnType.category, nullable=True, categories=("north", "3")),
    Column("note", ColumnType.text, nullable=True),
    Column("since", ColumnType.date, nullable=True),
    Column("case", ColumnType.identifier, nullable=True),
]
GOOD = {
    "age": 1.5,
    "weight in kg": 80,
    "smoker": False,
    "ward": "north",
    "note": "süd",
    "since": "2026-01-31",
    "case": "C-1",
}


def _read(text: str, columns: list[Column] = COLUMNS) -> list[dict[str, Any]] | None:
    asked = read_request(text.encode())
    return None if asked is None else RowDecoder(columns).rows(asked)


def _body(row: Any) -> str:
    return json.dumps({"row": row}, ensure_ascii=False)


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"age": 0},
        {"age": -1e300 * 0},
        {"age": 2**53},
        {"weight in kg": None},
        {"weight in kg": 80.5},
        {"ward": None},
        {"ward": 3},
        {"ward": "never seen"},
        {"note": ""},
        {"since": "2026-01-31T08:00:00Z"},
        {"since": None},
        {"case": 7},
        {"case": None},
    ],
)
def test_a_good_row_is_read_as_sent(change: dict[str, Any]) -> None:
    assert _read(_body(GOOD | change)) == [GOOD | change]
    [read] = _read(_body(GOOD | change)) or []
    for name, value in (GOOD | change).items():
        assert type(read[name]) is type(value), name


def test_numbers_keep_their_kind_order_and_precision() -> None:
    row = dict(reversed((GOOD | {"age": 0.1 + 0.2, "weight in kg": 12345678901}).items()))
    [read] = _read(_body(row)) or []
    assert list(read.items()) == list(row.items())


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        '{"rows": {}}',
        '{"row": []}',
        '{"row": null}',
        '{"row": {}, "rows": []}',
        '{"row": {}, "tenant": 1}',
        '{"row": {}, "intervals": true}',
        '{"row": {}, "coverage": 0.9}',
        '{"row": {}, "version": 0}',
        '{"row": {}, "version": 1.0}',
        '{"row": {}, "version": 2147483648}',
        '{"row": {}, "row": {}}',
        '{"row": {}, "version": 1, "version": 1}',
        '{"row": {}, "entity_keys": [1]}',
        '{"row": {}} {}',
        '\ufeff{"row": {}}',
        '{"row": {"\\u0061ge": 1}}',
        '{"row": ' + "[" * 100_000,
    ],
)
def test_a_body_that_is_not_plain_is_left_to_the_exact_way(text: str) -> None:
    assert _read(text, [Column("case", ColumnType.identifier, nullable=True)]) is None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("age", "null"),
        ("age", '"1"'),
        ("age", "true"),
        ("age", "1e400"),
        ("age", "NaN"),
        ("age", "01"),
        ("age", str(2**53 + 1)),
        ("age", "9" * 400),
        ("age", "[1]"),
        ("smoker", "0"),
        ("smoker", '"true"'),
        ("smoker", "null"),
        ("ward", "4"),
        ("ward", "{}"),
        ("note", "1"),
        ("since", '"31.01.2026"'),
        ("since", "1769846400"),
        ("case", "[]"),
    ],
)
def test_a_bad_value_is_left_to_the_exact_way(name: str, value: str) -> None:
    row = json.dumps(GOOD | {name: "HERE"}, ensure_ascii=False).replace('"HERE"', value)
    assert _read(f'{{"row": {row}}}') is None


@pytest.mark.parametrize("name", GOOD)
def test_a_name_that_stands_twice_is_left_to_the_exact_way(name: str) -> None:
    value = json.dumps(GOOD[name], ensure_ascii=False)
    row = json.dumps(GOOD, ensure_ascii=False)[:-1] + f', "{name}": {value}}}'
    assert _read(f'{{"row": {row}}}') is None
    assert _read(f'{{"rows": [{row}]}}') is None


@pytest.mark.parametrize("name", ["age", "weight in kg", "smoker", "ward", "note", "since"])
def test_a_missing_name_is_left_to_the_exact_way(name: str) -> None:
    assert _read(_body({one: value for one, value in GOOD.items() if one != name})) is None


def test_what_the_model_does_not_look_at_may_be_missing() -> None:
    row = {name: value for name, value in GOOD.items() if name != "case"}
    assert _read(_body(row)) == [row]


def test_names_beyond_ascii_are_read_and_checked() -> None:
    columns = [Column("größe", ColumnType.numeric, nullable=False), Column("b", ColumnType.numeric, False)]
    assert _read('{"row": {"größe": 1, "b": 2.5}}', columns) == [{"größe": 1, "b": 2.5}]
    for wrong in ('{"größe": 1}', '{"größe": 1, "b": 2, "b": 2}', '{"größe": "1", "b": 2}'):
        assert _read(f'{{"row": {wrong}}}', columns) is None
    decomposed = "gro\u0308ße"
    assert _read(f'{{"row": {{"{decomposed}": 1, "b": 2}}}}', columns) is None


def test_the_rest_of_a_request_is_read() -> None:
    asked = read_request(b'{"rows": [{}], "version": 3, "entity_keys": ["a", null], "intervals": false}')
    assert asked is not None
    assert (asked.version, asked.entity_keys, asked.one) == (3, ["a", None], False)
    asked = read_request(b'{"row": {}, "version": null, "entity_keys": null}')
    assert asked is not None
    assert (asked.version, asked.entity_keys, asked.one) == (None, None, True)


VALUES = some.one_of(
    some.none(),
    some.booleans(),
    some.integers(-(2**60), 2**60),
    some.floats(allow_nan=False, allow_infinity=False),
    some.sampled_from(["north", "", " ", "2026-01-31", "a b", "süd", "3"]),
    some.lists(some.integers(), max_size=1),
)


@given(row=some.dictionaries(some.sampled_from([*GOOD, "other"]), VALUES), at=some.sampled_from(list(GOOD)))
def test_what_it_takes_the_exact_checks_take_and_the_reverse(row: dict[str, Any], at: str) -> None:
    for tried in (GOOD | row, GOOD | {at: row.get(at)}, row):
        right = not check_rows([tried], COLUMNS)
        read = _read(_body(tried))
        if read is not None:
            assert right
            assert read == [tried]
        elif right:  # the one thing that is left to the exact way although it is right
            assert any(isinstance(value, float) and abs(value) > 2**53 for value in tried.values())
