"""Bringing a piece to the form that pipelines work on, and finding the rows that do not fit the model.

The same rules as for a row sent to the API, in two steps: whole columns are looked at for whatever could be
wrong, and rows in which something could are checked one by one by ``check_rows``, which has the last word.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from registry.inference.schema import RowError, check_rows
from registry.inference.values import ISO_8601, LARGEST_EXACT, MAX_TEXT
from registry.tabular.coercion import TRUTHS, read_dates
from registry.tabular.labels import as_text
from registry.tabular.schema import NUMBER_TYPES, UNUSED_TYPES, Column, ColumnType
from training.batching.taken import Flags, Taken

DATE = f"^(?:{ISO_8601.pattern})$"


@dataclass(frozen=True)
class Judged:
    """A canonical frame of all n rows, which of them (n,) fit, and what is wrong with the others."""

    frame: pd.DataFrame
    fits: Flags
    errors: list[RowError]


def judged(taken: Taken, columns: Sequence[Column]) -> Judged:
    """Return the rows as the model sees them; errors count rows from 0 within the piece."""
    doubtful = taken.doubtful.copy()
    data: dict[str, Any] = {}
    for column in columns:
        if column.type in UNUSED_TYPES:
            data[column.name] = pd.Series(np.nan, index=range(len(taken)), dtype="str")
        else:
            data[column.name] = _canonical(taken, column, doubtful)
    fits, errors = _checked(taken, columns, doubtful)
    return Judged(pd.DataFrame(data), fits, errors)


def _checked(taken: Taken, columns: Sequence[Column], doubtful: Flags) -> tuple[Flags, list[RowError]]:
    fits = np.ones(len(taken), dtype=bool)
    used = [column for column in columns if column.type not in UNUSED_TYPES]
    errors: list[RowError] = [
        {"row": place, "field": None, "code": "unreadable", "message": message}
        for place, message in taken.broken.items()
    ]
    fits[list(taken.broken)] = False
    places = [place for place in np.flatnonzero(doubtful).tolist() if fits[place]]
    for place, row in zip(places, taken.exact(places) if places else [], strict=True):
        found = check_rows([{name: value for name, value in row.items() if _is_used(name, used)}], used)
        errors += [{**error, "row": place} for error in found]
        fits[place] = not found
    return fits, sorted(errors, key=lambda error: int(error["row"]))


def _is_used(name: str, used: Sequence[Column]) -> bool:
    return any(column.name == name for column in used)


def _canonical(taken: Taken, column: Column, doubtful: Flags) -> Any:
    """Return the column's values, missing where they are not of its kind; marks what could be wrong."""
    values = taken.table.column(column.name).combine_chunks()
    if isinstance(values, pa.ChunkedArray):  # no rows
        values = pa.array([], values.type)
    if column.type is ColumnType.boolean:
        found, absent = _truths(values, taken.nulls, doubtful)
    elif column.type in NUMBER_TYPES:
        found, absent = _numbers(values, taken.nulls, doubtful)
    elif column.type is ColumnType.date:
        found, absent = _dates(values, taken.nulls, doubtful)
    else:
        found, absent = _texts(values, column, taken.nulls, doubtful)
    if not column.nullable:
        doubtful |= absent
    return found


def _numbers(values: pa.Array, nulls: Sequence[str], doubtful: Flags) -> tuple[Any, Flags]:
    kind = values.type
    if pa.types.is_floating(kind) or pa.types.is_integer(kind):
        floats = values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    elif pa.types.is_string(kind):
        text = _present(values, nulls)
        floats = pd.to_numeric(text, errors="coerce").to_numpy(dtype="float64", na_value=np.nan)
        doubtful |= np.isnan(floats) & text.notna().to_numpy()
    else:
        floats = np.full(len(values), np.nan)
        doubtful |= _there(values)
    absent = np.isnan(floats)
    beyond = np.abs(floats) >= LARGEST_EXACT
    if beyond.any():
        doubtful |= beyond
        floats = np.where(np.isinf(floats), np.nan, floats)
    return floats, absent


def _truths(values: pa.Array, nulls: Sequence[str], doubtful: Flags) -> tuple[Any, Flags]:
    if pa.types.is_boolean(values.type):
        floats = values.cast(pa.float64()).to_numpy(zero_copy_only=False)
        return floats, np.isnan(floats)
    if pa.types.is_string(values.type):
        text = _present(values, nulls)
        truths = text.str.lower().map(TRUTHS).to_numpy(dtype="float64", na_value=np.nan)
        doubtful |= np.isnan(truths) & text.notna().to_numpy()
        return truths, text.isna().to_numpy()
    floats, absent = _numbers(values, nulls, doubtful)
    doubtful |= ~(absent | np.isin(floats, (0.0, 1.0)))
    return floats, absent


def _texts(values: pa.Array, column: Column, nulls: Sequence[str], doubtful: Flags) -> tuple[Any, Flags]:
    if not pa.types.is_string(values.type):
        text = as_text(values.to_pandas(date_as_object=False))
        known = text.isin(column.categories) if column.type is ColumnType.category else text.isna()
        doubtful |= ~(known | text.isna()).to_numpy(dtype=bool)
        return text, text.isna().to_numpy()
    text = _present(values, nulls)
    strange = pc.or_(pc.greater(pc.utf8_length(values), MAX_TEXT), pc.match_substring(values, "\x00"))
    doubtful |= _flags(strange)
    return text, text.isna().to_numpy()


def _dates(values: pa.Array, nulls: Sequence[str], doubtful: Flags) -> tuple[Any, Flags]:
    kind = values.type
    if pa.types.is_string(kind):
        text = _present(values, nulls)
        absent = text.isna().to_numpy()
        moments = _moments(text)
        written = _flags(pc.match_substring_regex(values, DATE))
        doubtful |= ~absent & (moments.isna().to_numpy() | ~written)
        return moments, absent
    if pa.types.is_timestamp(kind) or pa.types.is_date(kind):
        moments = _moments(values.to_pandas(date_as_object=False))
        return moments, moments.isna().to_numpy()
    doubtful |= _there(values)
    nothing: Any = pd.Series(pd.NaT, index=range(len(values)), dtype="datetime64[us]")
    return nothing, ~_there(values)


def _moments(values: Any) -> Any:
    return read_dates(values).dt.tz_localize(None).astype("datetime64[us]").reset_index(drop=True)


def _present(values: pa.Array, nulls: Sequence[str]) -> Any:
    """Return texts without blanks around them, missing where they are blank or spell a missing value."""
    text = pc.utf8_trim_whitespace(values)
    gone = pc.is_in(text, value_set=pa.array(sorted(set(nulls)), pa.string()))
    kept = pc.if_else(gone, pa.scalar(None, pa.string()), text)
    return pd.Series(kept.to_pandas(), dtype="str").reset_index(drop=True)


def _there(values: pa.Array) -> Flags:
    return np.asarray(pc.is_valid(values).to_numpy(zero_copy_only=False), dtype=bool)


def _flags(found: pa.Array) -> Flags:
    return np.asarray(pc.fill_null(found, False).to_numpy(zero_copy_only=False), dtype=bool)
