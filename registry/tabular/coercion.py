"""Bring any frame to the canonical dtypes of a schema, the form that pipelines work on."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.columns import NUMBER_TYPES, TEXT_TYPES, Column, ColumnType
from registry.tabular.errors import SchemaMismatch
from registry.tabular.labels import as_text

TRUTHS = {"true": 1.0, "yes": 1.0, "1": 1.0, "false": 0.0, "no": 0.0, "0": 0.0}


def coerce_frame(frame: pd.DataFrame, columns: Sequence[Column]) -> pd.DataFrame:
    """The frame's values for these columns, in this order, with one dtype per column type.

    Numbers and booleans become float64 (missing and infinite values NaN), texts ``str`` (missing NaN), dates
    ``datetime64[us]`` in UTC without a zone (unreadable dates NaT). Ignored columns stay as they are, and may
    be absent. The frame given is not changed.

    Raises:
        SchemaMismatch: a column is missing, or holds values that are not of its type.
    """
    missing = [c.name for c in columns if c.type is not ColumnType.ignored and c.name not in frame.columns]
    if missing:
        raise SchemaMismatch(
            f"Missing column{'s' if len(missing) > 1 else ''}: {', '.join(missing)}. "
            "Add what is missing, spelt exactly so; the order does not matter.",
            fields=dict.fromkeys(missing, "This column is missing."),
        )
    present = [c for c in columns if c.name in frame.columns]
    data = {c.name: coerce_column(frame[c.name], c) for c in present}
    return pd.DataFrame(data, index=frame.index)


def coerce_column(values: "pd.Series[Any]", column: Column) -> "pd.Series[Any]":
    """One column's values as ``coerce_frame`` makes them; raises SchemaMismatch."""
    if column.type is ColumnType.boolean:
        return _booleans(values, column)
    if column.type in NUMBER_TYPES:
        return _numbers(values, column)
    if column.type in TEXT_TYPES:
        return as_text(values)
    if column.type is ColumnType.date:
        return _dates(values, column)
    return values


def _numbers(values: "pd.Series[Any]", column: Column) -> "pd.Series[Any]":
    if is_plain_number(values):
        return pd.Series(_finite_or_nan(values.to_numpy(dtype="float64")), index=values.index)
    if pd.api.types.is_datetime64_any_dtype(values):
        raise _wrong_values(column, "numbers", values.head(3))
    numbers = pd.to_numeric(values, errors="coerce")
    unreadable = values[numbers.isna() & values.notna()]
    if pd.api.types.is_object_dtype(values) or pd.api.types.is_string_dtype(values):
        unreadable = unreadable[unreadable.astype("str").str.strip() != ""]
    if len(unreadable):
        raise _wrong_values(column, "numbers", unreadable)
    return pd.Series(_finite_or_nan(numbers.to_numpy(dtype="float64", na_value=np.nan)), index=values.index)


def is_plain_number(values: "pd.Series[Any]") -> bool:
    """Whether the values are numbers to numpy as well: then nothing in them can be unreadable.

    Wide tables consist of such columns, and pandas' general ways take a millisecond for each.
    """
    return isinstance(values.dtype, np.dtype) and values.dtype.kind in "iuf"


def _finite_or_nan(floats: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    return np.where(np.isfinite(floats), floats, np.nan)


def _booleans(values: "pd.Series[Any]", column: Column) -> "pd.Series[Any]":
    text = as_text(values).str.lower()
    truths: pd.Series[Any] = text.map(TRUTHS).astype("float64")
    unreadable = values[truths.isna() & text.notna()]
    if len(unreadable):
        raise _wrong_values(column, "true or false", unreadable)
    return truths


def _dates(values: "pd.Series[Any]", column: Column) -> "pd.Series[Any]":
    if pd.api.types.is_numeric_dtype(values) and values.notna().any():
        raise _wrong_values(column, "ISO 8601 dates such as 2026-01-31T08:00:00Z", values.dropna())
    if pd.api.types.is_numeric_dtype(values):  # a column of nothing but NaN
        return pd.Series(pd.NaT, index=values.index, dtype="datetime64[us]")
    moments = read_dates(values)
    naive: pd.Series[Any] = moments.dt.tz_localize(None).astype("datetime64[us]")
    return naive


def read_dates(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """ISO 8601 text or datetimes as UTC datetimes; what cannot be read becomes NaT."""
    if pd.api.types.is_datetime64_any_dtype(values):
        return pd.to_datetime(values, utc=True)
    return pd.to_datetime(values.astype("str"), utc=True, errors="coerce", format="ISO8601")


def _wrong_values(column: Column, wanted: str, examples: "pd.Series[Any]") -> SchemaMismatch:
    shown = ", ".join(repr(value)[:40] for value in examples.head(3).tolist())
    found = "" if column.personal else f"; found {shown}"
    return SchemaMismatch(
        f"Column {column.name} must hold {wanted}{found}. Correct these values or leave them empty.",
        fields={column.name: f"Must hold {wanted}."},
    )
