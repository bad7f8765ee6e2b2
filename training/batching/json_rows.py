"""Reading a piece of a JSON Lines file whose columns' types are known from the model."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa

from registry.tabular.labels import label_text
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType
from training.batching.layouts import flat
from training.batching.taken import Flags, Taken

NUMBERS: frozenset[type[Any]] = frozenset({int, float, type(None)})
TRUTHS: frozenset[type[Any]] = frozenset({bool, type(None)})
TEXTS: frozenset[type[Any]] = frozenset({str, type(None)})
NO_OBJECT = "The line is no JSON object. Write each row as one object on a line of its own."
Row = dict[str, Any]


def read_json_rows(data: bytes, columns: Sequence[Column], wanted: Sequence[str]) -> Taken:
    """Return the rows of a piece of whole lines; a line that is no object is broken, and has no values."""
    rows, broken = _rows(data)
    doubtful = np.zeros(len(rows), dtype=bool)
    known = {column.name: column for column in columns}
    arrays = {}
    for name in wanted:
        column = known.get(name)
        values = [row.get(name) for row in rows]
        if column is None:
            arrays[name] = _as_they_are(values)
        else:
            doubtful |= np.fromiter((name not in row for row in rows), bool, len(rows))
            arrays[name] = _typed(values, column, doubtful)

    def exact(places: Sequence[int]) -> list[Row]:
        return [{name: rows[place][name] for name in known if name in rows[place]} for place in places]

    return Taken(pa.table(arrays), exact, doubtful, broken)


def _rows(data: bytes) -> tuple[list[Row], dict[int, str]]:
    decode = msgspec.json.Decoder().decode
    rows: list[Row] = []
    broken: dict[int, str] = {}
    for line in data.splitlines():
        if not line.strip():
            continue
        row: Any = None
        with suppress(msgspec.DecodeError, RecursionError):
            row = decode(line)
        if not isinstance(row, dict):
            broken[len(rows)] = NO_OBJECT
            row = {}
        rows.append(flat(row))
    return rows, broken


def _typed(values: list[Any], column: Column, doubtful: Flags) -> pa.Array:
    """Return the values of the column's kind, the others as missing and marked as doubtful."""
    if column.type is ColumnType.boolean:
        allowed, kind = TRUTHS, pa.bool_()
    elif column.type in NUMBER_TYPES:
        allowed, kind = NUMBERS, pa.float64()
    else:
        allowed, kind = TEXTS, pa.string()
    if not set(map(type, values)) <= allowed:
        wrong = np.fromiter((type(value) not in allowed for value in values), bool, len(values))
        doubtful |= wrong
        spelt = column.type is ColumnType.category  # a number may spell a category
        values = [
            value if type(value) in allowed else label_text(value) if spelt and _is_plain(value) else None
            for value in values
        ]
    if kind == pa.float64():
        # Whole numbers beyond 64 bits are no error to a float, and the check of the row refuses them.
        return pa.array(np.array([np.nan if value is None else value for value in values], dtype="float64"))
    return pa.array(values, kind)


def _is_plain(value: Any) -> bool:
    return isinstance(value, bool | int | float)


def _as_they_are(values: list[Any]) -> pa.Array:
    """Return values that nobody judges: of one kind as they are, else as text."""
    try:
        found = pa.array(values)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError):
        found = None
    if found is not None and not pa.types.is_nested(found.type):
        return found
    texts = [None if value is None else _text(value) for value in values]
    return pa.array(texts, pa.string())


def _text(value: Any) -> str:
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text.encode("utf-8", "replace").decode()
