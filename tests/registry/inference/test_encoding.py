"""Rows as sent to numbers, piece by piece, against values worked out by hand."""

import math
from typing import Any

import numpy as np
import pytest

from registry.inference.encoding import encoder
from registry.inference.recipe import Affine, Bell, Dates, Lookup, Marks, Member, Numbers, Part, Scale, Words

NAN = float("nan")


def encoded(rows: Any, *pieces: Any, scale: Scale | None = None, **options: Any) -> Any:
    return encoder(Member([Part(list(pieces), scale)], **options))(rows)


def test_numbers_are_read_filled_and_scaled() -> None:
    rows = [{"a": 3, "b": None}, {"a": None, "b": True}]
    found = encoded(rows, Numbers(["a", "b"], [1.0, 5.0]), scale=Affine([1.0, 0.0], [2.0, 10.0]))
    assert found.tolist() == [[1.0, 0.5], [0.0, 0.1]]


def test_what_is_missing_stays_so_where_the_trees_take_it() -> None:
    found = encoded([{"a": None, "b": 7.0}], Numbers(["a", "b"], [None, None], empty=[1]))
    assert math.isnan(found[0, 0])
    assert found[0, 1] == 0  # had no value in training


def test_missing_numbers_are_marked() -> None:
    rows = [{"a": None}, {"a": 0}]
    found = encoded(rows, Numbers(["a"], [2.0]), Marks(["a"]))
    assert found.tolist() == [[2.0, 1.0], [0.0, 0.0]]


@pytest.mark.parametrize(
    ("value", "numbers"),
    [
        ("red", [1, 0]),
        (" red ", [1, 0]),
        (None, [0, 1]),
        ("", [0, 1]),
        ("green", [0, 0]),
        (1.0, [5, 5]),
        (True, [7, 7]),
    ],
)
def test_a_category_is_looked_up_by_its_spelling(value: Any, numbers: list[float]) -> None:
    table = Lookup("c", "missing", ["red", "missing", "1", "true"], [[1, 0], [0, 1], [5, 5], [7, 7]], [0, 0])
    assert encoded([{"c": value}], table).tolist() == [numbers]


@pytest.mark.parametrize(
    ("text", "year", "days"),
    [
        ("1970-01-02", 1970, 1.0),
        ("1970-01-01T12:00:00", 1970, 0.5),
        ("1970-01-01T01:00:00+01:00", 1970, 0.0),
        ("1969-12-31T23:30:00-01:00", 1970, 1800 / 86400),
        ("1969-12-31T00:00:00Z", 1969, -1.0),
        ("0001-01-01", 1, -719162.0),
        ("9999-12-31", 9999, 2932896.0),
        (None, 1970, 3.0),
    ],
)
def test_a_date_becomes_its_parts(text: str | None, year: int, days: float) -> None:
    [found] = encoded([{"d": text}], Dates("d", 0, 3 * 86_400_000_000))
    assert (found[0], found[-1]) == (year, pytest.approx(days))
    assert len(found) == 8
    circles = found[1:-1].reshape(3, 2)
    assert (circles**2).sum(axis=1) == pytest.approx(1)


def test_the_hour_counts_its_minutes() -> None:
    [found] = encoded([{"d": "2026-01-05T06:30:00"}], Dates("d", 0, 0))
    assert found[5:7] == pytest.approx([math.sin(2 * math.pi * 6.5 / 24), math.cos(2 * math.pi * 6.5 / 24)])
    assert found[3:5] == pytest.approx([0, 1])  # a Monday


def test_dates_that_training_never_saw_are_zeros() -> None:
    assert encoded([{"d": "2026-01-01"}], Dates("d", None, None)).tolist() == [[0.0] * 8]


def test_words_are_weighed_and_brought_to_length_one() -> None:
    [found] = encoded(
        [{"t": "Pain, pain! A FEVER x"}], Words("t", ["fever", "pain", "well"], [1.0, 2.0, 3.0])
    )
    length = math.sqrt(1 + 16)
    assert found == pytest.approx([1 / length, 4 / length, 0])


@pytest.mark.parametrize("text", [None, "", "unheard of", "x y z"])
def test_a_text_without_a_known_word_is_all_zeros(text: str | None) -> None:
    assert encoded([{"t": text}], Words("t", ["pain"], [1.5])).tolist() == [[0.0]]


def test_ranks_on_a_bell_curve_are_bounded_at_either_end() -> None:
    bell = Bell([[0.0, 1.0, 2.0]], [0.0, 0.5, 1.0])
    rows = [{"a": value} for value in (-50, 0, 1, 2, 1e9)]
    found = encoded(rows, Numbers(["a"], [None]), scale=bell)[:, 0]
    assert found[2] == pytest.approx(0)
    assert found[[0, 1, 3, 4]] == pytest.approx([-5.199, -5.199, 5.199, 5.199], abs=1e-3)


def test_columns_are_chosen_and_rounded_last() -> None:
    rows = [{"a": 0.1, "b": 2.0, "c": 16_777_217.0}]
    kept = encoded(rows, Numbers(["a", "b", "c"], [None] * 3), keep=[2, 0], rounded=True)
    assert kept.tolist() == [[16_777_216.0, float(np.float32(0.1))]]


def test_parts_stand_side_by_side_in_their_order() -> None:
    parts = [Part([Numbers(["b"], [None])]), Part([Numbers(["a"], [None])], Affine([1.0], [1.0]))]
    assert encoder(Member(parts))([{"a": 1, "b": 2}]).tolist() == [[2.0, 0.0]]
