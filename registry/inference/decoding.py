"""Reading the usual request for answers in one pass, typed by the version's schema.

A decoder says yes or nothing. Whatever is not plainly right (a wrong type, a missing, unknown or doubled
name, an escape, a number beyond 2^53) makes it return None, and the exact checks of ``schema.py`` then read
the same body again, to say for each row and column what is wrong, or that nothing is. So the two cannot
disagree about what is an error; that they agree about what is right is tested.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, NotRequired, TypedDict

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from registry.inference.schema import check_rows
from registry.inference.values import LARGEST_EXACT
from registry.tabular.columns import NUMBER_TYPES, UNUSED_TYPES, Column, ColumnType

LARGEST_NUMBER = 2**31 - 1  # of a version
Number = (
    Annotated[int, Meta(ge=-LARGEST_EXACT, le=LARGEST_EXACT)]
    | Annotated[float, Meta(ge=-float(LARGEST_EXACT), le=float(LARGEST_EXACT))]
)
Plain = Number | bool | str | None
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
QUOTES = 2  # around each text of a JSON document


class _Body(Struct, forbid_unknown_fields=True):
    """What a request may hold; rows are read by the version's own types."""

    row: msgspec.Raw | UnsetType = UNSET
    rows: msgspec.Raw | UnsetType = UNSET
    version: Annotated[int, Meta(ge=1, le=LARGEST_NUMBER)] | UnsetType | None = UNSET
    entity_keys: list[str | None] | UnsetType | None = UNSET
    intervals: bool | UnsetType = UNSET


_body = msgspec.json.Decoder(_Body)


@dataclass(frozen=True)
class ReadRequest:
    """A request as it was read; ``rows`` are still JSON, ``one`` tells that it is a single object.

    ``quotes`` counts the quotation marks of the whole body, and ``outside`` those that are not in the rows.
    """

    rows: msgspec.Raw
    one: bool
    version: int | None
    entity_keys: list[str | None] | None
    quotes: int
    outside: int


def read_request(body: bytes) -> ReadRequest | None:
    """Return what is asked, or None where the exact way has to look."""
    if b"\\" in body:  # an escape may hide a quotation mark, a NUL or half a character
        return None
    try:
        read = _body.decode(body)
    except UNREADABLE:
        return None
    rows = read.rows if read.row is UNSET else read.row
    if isinstance(rows, UnsetType) or (read.row is UNSET) == (read.rows is UNSET) or read.intervals is True:
        return None
    given = [read.version, read.entity_keys, read.intervals]
    keys = read.entity_keys or None
    texts = 1 + sum(one is not UNSET for one in given)
    texts += sum(key is not None for key in keys) if isinstance(keys, list) else 0
    return ReadRequest(
        rows=rows,
        one=read.row is not UNSET,
        version=None if isinstance(read.version, UnsetType) else read.version,
        entity_keys=None if isinstance(read.entity_keys, UnsetType) else read.entity_keys,
        quotes=body.count(b'"'),
        outside=QUOTES * texts,
    )


class RowDecoder:
    """Reads rows for one version's columns.

    Without escapes each quotation mark of a JSON document begins or ends a text. So a name that stands twice
    in an object, of which the decoder keeps the last, shows: there are more marks than the texts account for.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = list(columns)
        # The library matches names of typed dictionaries by bytes, and finds none that is not ASCII.
        self._typed = all(column.name.isascii() for column in columns)
        self._checked = [column for column in columns if column.type not in NUMBER_TYPES]
        row: Any = _row_type(columns) if self._typed else dict[str, Plain]
        self._one = msgspec.json.Decoder(row)
        self._many = msgspec.json.Decoder(list[row])

    def rows(self, asked: ReadRequest) -> list[dict[str, Any]] | None:
        """Return the rows as sent, or None where the exact way has to look."""
        try:
            rows = [self._one.decode(asked.rows)] if asked.one else self._many.decode(asked.rows)
        except UNREADABLE:
            return None
        texts = sum(len(row) for row in rows)
        if self._checked or not self._typed:
            if check_rows(rows, self._columns):
                return None
            texts += sum(isinstance(value, str) for row in rows for value in row.values())
        return rows if asked.outside + QUOTES * texts == asked.quotes else None


def _row_type(columns: Sequence[Column]) -> Any:
    fields: dict[str, Any] = {}
    for column in columns:
        kind = _value_type(column)
        fields[column.name] = NotRequired[kind] if column.type in UNUSED_TYPES else kind
    return TypedDict("Row", fields)  # type: ignore[operator]  # made from a schema, not written down


def _value_type(column: Column) -> Any:
    if column.type is ColumnType.boolean:
        return bool | None if column.nullable else bool
    if column.type in NUMBER_TYPES:
        return Number | None if column.nullable else Number
    return Plain
