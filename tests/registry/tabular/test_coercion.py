from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.tabular.labels import as_text, label_text
from registry.tabular.schema import Column, ColumnType, SchemaMismatch, coerce_frame


def coerce(values: object, kind: ColumnType) -> "pd.Series[Any]":
    column = Column("c", kind, nullable=True)
    return coerce_frame(pd.DataFrame({"c": values}), [column])["c"]


def test_numbers_become_floats_and_what_is_no_finite_number_is_missing() -> None:
    values = coerce([1, "2.5", None, "", np.inf], ColumnType.numeric)
    assert values.dtype == "float64"
    assert values.tolist()[:2] == [1.0, 2.5]
    assert values.isna().tolist() == [False, False, True, True, True]


def test_nullable_integers_become_floats() -> None:
    values = coerce(pd.array([1, None], dtype="Int64"), ColumnType.integer)
    assert values.dtype == "float64"
    assert np.isnan(values[1])


def test_booleans_are_read_in_every_spelling() -> None:
    values = coerce([True, "no", 1, 0.0, None, "TRUE"], ColumnType.boolean)
    assert values.fillna(-1).tolist() == [1, 0, 1, 0, -1, 1]


def test_categories_become_text_with_one_spelling_for_whole_numbers() -> None:
    values = coerce([1, 1.0, "1", None, " x "], ColumnType.category)
    assert values.fillna("-").tolist() == ["1", "1", "1", "-", "x"]
    assert pd.api.types.is_string_dtype(values)


def test_dates_become_utc_without_a_zone() -> None:
    values = coerce(["2026-01-31T10:00:00+02:00", "never", None, "2026-01"], ColumnType.date)
    assert values.dtype == "datetime64[us]"
    assert values[0] == pd.Timestamp("2026-01-31T08:00:00")
    assert values.isna().tolist() == [False, True, True, False]


def test_datetimes_with_a_zone_are_brought_to_utc() -> None:
    moments = pd.to_datetime(["2026-01-31T10:00:00+02:00"])
    assert coerce(moments, ColumnType.date)[0] == pd.Timestamp("2026-01-31T08:00:00")


def test_an_empty_number_column_is_taken_for_missing_dates() -> None:
    assert coerce([np.nan, np.nan], ColumnType.date).isna().all()


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["tall"], ColumnType.numeric),
        (["perhaps"], ColumnType.boolean),
        ([1700000000], ColumnType.date),
        (pd.to_datetime(["2026-01-01"]), ColumnType.numeric),
    ],
)
def test_values_of_another_kind_are_refused_by_name(values: object, kind: ColumnType) -> None:
    with pytest.raises(SchemaMismatch, match="Column c must hold") as caught:
        coerce(values, kind)
    assert caught.value.fields is not None
    assert "c" in caught.value.fields


def test_missing_columns_are_named() -> None:
    columns = [Column(name, ColumnType.numeric, nullable=False) for name in "abc"]
    with pytest.raises(SchemaMismatch, match="Missing columns: a, c"):
        coerce_frame(pd.DataFrame({"b": [1]}), columns)


def test_it_keeps_the_order_of_the_columns_and_drops_others() -> None:
    columns = [Column(name, ColumnType.numeric, nullable=False) for name in "ba"]
    frame = coerce_frame(pd.DataFrame({"a": [1], "x": [0], "b": [2]}, index=[7]), columns)
    assert list(frame.columns) == ["b", "a"]
    assert list(frame.index) == [7]


def test_an_ignored_column_may_be_absent() -> None:
    assert coerce_frame(pd.DataFrame(index=[0]), [Column("i", ColumnType.ignored, nullable=True)]).shape == (
        1,
        0,
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (1.0, "1"),
        (0.5, "0.5"),
        (True, "true"),
        (np.float64(2), "2"),
        (" a ", "a"),
        (10**20, "1" + "0" * 20),
    ],
)
def test_a_label_has_one_spelling(value: object, text: str) -> None:
    assert label_text(value) == text
    assert as_text(pd.Series([value], dtype=object)).tolist() == [text]
