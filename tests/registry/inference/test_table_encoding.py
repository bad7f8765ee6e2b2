"""Whole columns to numbers: the same as row by row, and nothing where columns cannot be brought through."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.inference.encoding import encoder
from registry.inference.recipe import Affine, Lookup, Marks, Member, Numbers, Part, Words
from registry.inference.table_encoding import table_encoder

ROWS: list[dict[str, Any]] = [
    {"a": 3.0, "b": None, "c": "red"},
    {"a": None, "b": 7.0, "c": None},
    {"a": 0.1, "b": -2.5, "c": "green"},
    {"a": -4.0, "b": 0.0, "c": "blue"},
]
COLOURS = Lookup("c", "missing", ["red", "missing", "blue"], [[1, 0], [0, 1], [0.25, 4]], [0.5, 0.5])


def frame() -> pd.DataFrame:
    """The rows as a canonical frame has them."""
    return pd.DataFrame(ROWS).astype({"a": "float64", "b": "float64", "c": "str"})


@pytest.mark.parametrize(
    "member",
    [
        Member([Part([Numbers(["a", "b"], [1.0, 5.0])], None)]),
        Member([Part([Numbers(["a", "b"], [None, None], empty=[1])], None)]),
        Member([Part([Numbers(["b"], [0.0]), Marks(["a", "b"])], Affine([1.0, 0.0, 0.5], [2.0, 1.0, 0.5]))]),
        Member([Part([COLOURS], None), Part([Numbers(["a"], [2.0])], Affine([1.0], [3.0]))]),
        Member([Part([COLOURS, Numbers(["a", "b"], [0.0, 0.0])], None)], keep=[3, 0]),
        Member([Part([Numbers(["a"], [0.0])], None)], rounded=True),
    ],
    ids=["filled", "missing stays", "marked and scaled", "looked up", "some kept", "rounded"],
)
def test_a_table_gets_the_numbers_of_its_rows(member: Member) -> None:
    of_table = table_encoder(member)
    assert of_table is not None
    assert np.array_equal(of_table(frame()), encoder(member)(ROWS), equal_nan=True)


def test_the_frame_is_left_as_it_was() -> None:
    given = frame()
    of_table = table_encoder(Member([Part([Numbers(["a", "b"], [1.0, 5.0], empty=[0])], None)]))
    assert of_table is not None
    of_table(given)
    pd.testing.assert_frame_equal(given, frame())


def test_text_has_no_table_encoder() -> None:
    words = Words("t", ["late"], [1.0])
    assert table_encoder(Member([Part([Numbers(["a"], [0.0]), words], None)])) is None
