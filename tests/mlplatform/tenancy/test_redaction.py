"""What may stand in the trail."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from mlplatform.tenancy.authentication import make_key
from mlplatform.tenancy.redaction import LEFT_OUT, LONGEST_TEXT, MOST_ITEMS, clean_text, storable


@pytest.mark.parametrize(
    "name",
    ["password", "new_password", "secret_hash", "api_key", "token", "access-token", "Authorization", "dsn"],
)
def test_fields_that_name_a_secret_are_left_out_at_any_depth(name: str) -> None:
    assert storable({"a": [{name: "hunter2"}]}) == {"a": [{name: LEFT_OUT}]}


@pytest.mark.parametrize("name", ["tokenizer", "sha256", "entity_key", "keyword", "secretary", "compass"])
def test_names_that_only_look_alike_stay(name: str) -> None:
    assert storable({name: "value"}) == {name: "value"}


def test_an_empty_secret_is_told_from_a_set_one() -> None:
    assert storable({"password": None}) == {"password": None}


def test_a_key_inside_a_text_loses_its_secret_part() -> None:
    made = make_key()
    told = storable(f"curl -H 'Bearer {made.secret}'")
    assert made.prefix in told
    assert made.secret not in told


def test_the_password_of_an_address_is_left_out() -> None:
    told = storable({"url": "postgresql://ann:hunter2@db.example/x"})["url"]
    assert told == f"postgresql://ann:{LEFT_OUT}@db.example/x"


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (1e23, str(10**23)),
        (-0.0, 0),
        (2.0, 2),
        (0.1, 0.1),
        (float("nan"), "nan"),
        (float("-inf"), "-inf"),
        (10**40, str(10**40)),
        (Decimal("1.50"), "1.50"),
        (datetime(2026, 1, 31, tzinfo=UTC), "2026-01-31T00:00:00+00:00"),
        ({3, 1, 2}, [1, 2, 3]),
        ("a\x00b\ud800", "a b?"),
        (b"\xff", "b'\\xff'"),
    ],
)
def test_what_json_or_a_database_cannot_hold_becomes_what_they_can(value: Any, stored: Any) -> None:
    assert storable(value) == stored
    json.dumps(storable(value), allow_nan=False)


def test_size_is_bounded_whatever_comes() -> None:
    deep: Any = "x"
    for _ in range(100):
        deep = [deep]
    wide = {str(number): "y" * 100_000 for number in range(10_000)}
    assert len(json.dumps(storable(deep))) < 100
    assert len(storable(wide)) == MOST_ITEMS
    assert len(storable(wide)["0"]) == LONGEST_TEXT


def test_a_label_stays_one_line_of_text() -> None:
    assert clean_text("\x1b[31mred\r\x00", 20) == " [31mred  "
