"""Rows as they come from a source, gathered into a table of plain columns."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from math import isfinite
from typing import Any
from uuid import UUID

import pandas as pd
import pyarrow as pa
from django.conf import settings

from training.errors import SourceRefused
from training.sources.budget import Budget

MAX_NAME_LENGTH = 200
DEEPEST = 3  # levels of nested objects that become columns of their own
WHOLE = range(-(2**63), 2**63)


class Gathering:
    """Takes rows in batches, as Arrow columns, within the budget.

    Objects in objects become columns with a dot (``address.city``), lists become text. A column whose values
    are of different kinds becomes text, one of whole and broken numbers becomes numbers. Without ``weigh``
    bytes are not counted here, because those that came over the wire were.
    """

    def __init__(self, budget: Budget, *, weigh: bool = True) -> None:
        self._budget, self._weigh = budget, weigh
        self._names: list[str] = []
        self._batches: list[pa.Table] = []

    def add(self, names: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Take rows of values in the order of the names; raises SourceRefused."""
        rows = self._wanted(rows)
        columns = {name: [row[place] for row in rows] for place, name in enumerate(names)}
        if len(columns) < len(names):
            raise _doubled(names)
        self._take(columns, len(rows))

    def add_records(self, records: Sequence[Any]) -> None:
        """Take rows of names and values; a name that a row lacks is missing there. Raises SourceRefused."""
        flat = []
        for record in self._wanted(records):
            if not isinstance(record, Mapping):
                raise SourceRefused(
                    "The rows are no objects with names and values. Give the path to a list such as "
                    '[{"a": 1}, {"a": 2}].'
                )
            flat.append(dict(_flat(record)))
        names = dict.fromkeys(name for record in flat for name in record)
        self._take({name: [record.get(name) for record in flat] for name in names}, len(flat))

    def add_table(self, table: pd.DataFrame) -> None:
        """Take a table that was read elsewhere; raises SourceRefused."""
        rows = table if self._budget.sample is None else table.head(self._budget.sample)
        self._take_arrow(pa.Table.from_pandas(rows, preserve_index=False))

    def frame(self) -> pd.DataFrame:
        """Return everything as a table of numbers, truths, times and text."""
        if not self._batches:
            return pd.DataFrame()
        return plain_frame(_joined(self._batches, self._names))

    def _wanted(self, rows: Sequence[Any]) -> Sequence[Any]:
        sample = self._budget.sample
        return rows if sample is None else rows[: max(0, sample - self._budget.rows_taken)]

    def _take(self, columns: Mapping[str, list[Any]], count: int) -> None:
        if not columns and count:
            raise SourceRefused("The rows have no columns. Ask for some.")
        known = len(self._names)
        self._names += [name for name in columns if name not in set(self._names)]
        if len(self._names) > known:
            check_names(self._names)
        arrays = {name: _array(name, values) for name, values in columns.items()}
        if arrays:
            self._take_arrow(pa.table(arrays))

    def _take_arrow(self, table: pa.Table) -> None:
        self._names += [name for name in table.column_names if name not in set(self._names)]
        self._budget.take_rows(table.num_rows)
        if self._weigh:
            self._budget.take_bytes(table.nbytes)
        self._keep(table)

    def _keep(self, table: pa.Table) -> None:
        self._batches.append(table)


def check_names(names: Sequence[str]) -> None:
    """Raise SourceRefused for columns that have no usable name, or are too many."""
    if len(names) > settings.MAX_COLUMNS:
        raise SourceRefused(
            f"The source gives more than {settings.MAX_COLUMNS:,} columns. Ask for those that matter."
        )
    for name in names:
        if not name.strip() or len(name) > MAX_NAME_LENGTH or not name.isprintable():
            raise SourceRefused(
                f"The column name {name[:40]!r} is empty, longer than {MAX_NAME_LENGTH} characters or holds "
                "control characters. Give the column another name, in SQL with AS."
            )


def plain_frame(table: pa.Table) -> pd.DataFrame:
    """Return plain pandas types: numbers, booleans, timestamps, else text."""
    frame: pd.DataFrame = table.to_pandas(date_as_object=False, ignore_metadata=True)
    for field in table.schema:
        if pa.types.is_boolean(field.type):
            frame[field.name] = frame[field.name].astype("boolean")
        elif pa.types.is_null(field.type):
            frame[field.name] = frame[field.name].astype("float64")
    return frame


def _doubled(names: Sequence[str]) -> SourceRefused:
    twice = next(name for name in names if list(names).count(name) > 1)
    return SourceRefused(f"Two columns are called {twice[:40]!r}. Give each its own name, in SQL with AS.")


def _flat(record: Mapping[str, Any], prefix: str = "", depth: int = 1) -> Iterable[tuple[str, Any]]:
    for key, value in record.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping) and depth < DEEPEST:
            yield from _flat(value, f"{name}.", depth + 1)
        else:
            yield name, value


def _array(name: str, values: list[Any]) -> pa.Array:
    plain = [_plain(name, value) for value in values]
    kinds = {type(value) for value in plain if value is not None}
    if kinds == {int, float}:
        plain = [None if value is None else float(value) for value in plain]
    elif kinds == {date, datetime}:
        plain = [_moment(value) for value in plain]
    elif len(kinds) > 1:
        plain = [None if value is None else str(value) for value in plain]
    try:
        return pa.array(plain)
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError):
        return pa.array([None if value is None else str(value) for value in plain])


def _plain(name: str, value: Any) -> Any:
    """Return the value as a number, truth, time or text; None where it is missing."""
    if isinstance(value, Decimal):
        value = float(value)
    if value is None or isinstance(value, bool | date):
        return value
    if isinstance(value, int):
        return value if value in WHOLE else float(value) if abs(value) < 10**300 else str(value)
    if isinstance(value, float):
        return _number(name, value)
    if isinstance(value, bytes | bytearray | memoryview):
        raise SourceRefused(f"Column {name!r} holds binary data. Leave it out, or turn it into text.")
    if isinstance(value, UUID | time | timedelta):
        return str(value)
    text = value if isinstance(value, str) else json.dumps(value, default=str, ensure_ascii=False)
    if "\x00" in text:
        raise SourceRefused(f"Column {name!r} holds a NUL character, which no text has. Remove it.")
    return text.encode("utf-8", "replace").decode()


def _number(name: str, value: float) -> float | None:
    if value != value:  # NaN is how some say that a value is missing
        return None
    if not isfinite(value):
        raise SourceRefused(
            f"Column {name!r} holds an infinite number. Leave it empty where the value is unknown."
        )
    return value


def _moment(value: date | datetime | None) -> datetime | None:
    if value is None or isinstance(value, datetime):
        return value
    return datetime(value.year, value.month, value.day)  # noqa: DTZ001  # a date has no time zone


def _joined(batches: Sequence[pa.Table], names: Sequence[str]) -> pa.Table:
    columns = {name: _column(batches, name) for name in names}
    return pa.table(columns)


def _column(batches: Sequence[pa.Table], name: str) -> pa.ChunkedArray:
    found = [
        batch.column(name) if name in batch.column_names else pa.nulls(batch.num_rows) for batch in batches
    ]
    kinds = {part.type for part in found} - {pa.null()}
    wanted = common_kind(kinds)
    parts = [part.cast(wanted) for part in found]
    chunks = [
        chunk for part in parts for chunk in (part.chunks if isinstance(part, pa.ChunkedArray) else [part])
    ]
    return pa.chunked_array(chunks, type=wanted)


def common_kind(kinds: set[pa.DataType]) -> pa.DataType:
    """Return the type that holds the values of all these: text where nothing else does."""
    if len(kinds) <= 1:
        return next(iter(kinds), pa.null())
    if kinds <= {pa.int64(), pa.float64()}:
        return pa.float64()
    if all(pa.types.is_date(kind) or (pa.types.is_timestamp(kind) and kind.tz is None) for kind in kinds):
        return pa.timestamp("us")
    return pa.string()
