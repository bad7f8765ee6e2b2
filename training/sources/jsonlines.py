"""Reading JSON Lines files that anybody may have made: one object on each line, a cell for each of its names.

An object inside a row becomes columns of its own: ``{"address": {"city": "Bonn"}}`` is the column
``address.city``. A list is no cell and is refused.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
from pyarrow import json as pajson

from training.errors import UnreadableFile
from training.sources.content import text_encoding
from training.sources.headers import check_header
from training.sources.pieces import Pieces, Seen
from training.sources.records import LONGEST_RECORD, slices

DEEPEST = 8
FIRST_BYTES = 1 << 16
BLOCK_BYTES = 2 * LONGEST_RECORD


def is_json_lines(head: bytes) -> bool:
    """Tell whether the content begins like a JSON object: with a brace and a quoted name, or an empty one."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return start.startswith(b"{") and start[1:].lstrip()[:1] in {b'"', b"}"}


def read_json_lines(path: Path, *, quote: bool, kept: ExitStack) -> Pieces:
    """Return the table; what it needs on disk is there until ``kept`` closes.

    Raises UnreadableFile, now or while the parts are read.
    """
    encoding = text_encoding(path)
    if encoding != "utf-8":
        raise UnreadableFile("JSON is written in UTF-8, and this file is not. Save it again in UTF-8.")
    with path.open("rb") as file:
        start = 3 if file.read(3) == b"\xef\xbb\xbf" else 0
    seen: dict[str, Seen] = {}
    parts, rows, first = 0, 0, None
    for data in slices(path, start=start):
        parts += 1
        first = _flat(_parsed(data, rows, None, quote))
        _look(seen, first, rows)
        rows += first.num_rows
    check_header(list(seen))
    schema = pa.schema([(name, column.settled()) for name, column in seen.items()])
    if first is not None and parts == 1:
        return Pieces.of(first)

    def tables() -> Iterator[pa.Table]:
        before = 0
        for data in slices(path, start=start):
            table = _flat(_parsed(data, before, seen, quote))
            before += table.num_rows
            yield _aligned(table, schema)

    return Pieces(tables)


def _look(seen: dict[str, Seen], table: pa.Table, rows: int) -> None:
    for name, column in zip(table.column_names, table.columns, strict=True):
        known = seen.get(name)
        if known is None:
            known = seen[name] = Seen(gaps=rows > 0)
        known.add(column.type, bool(column.null_count))
    for name in seen.keys() - set(table.column_names):
        seen[name].gaps = True


def _parsed(data: bytes, rows: int, seen: dict[str, Seen] | None, quote: bool) -> pa.Table:
    _refuse_deep(data, rows)
    texts = [name for name, column in (seen or {}).items() if pa.types.is_string(column.kind)]
    # Text that looks like dates in one part alone stays text; what lies deeper is cast afterwards.
    schema = pa.schema([(name, pa.string()) for name in texts if "." not in name])
    try:
        return pajson.read_json(
            pa.BufferReader(data),
            read_options=pajson.ReadOptions(use_threads=False, block_size=max(BLOCK_BYTES, len(data))),
            parse_options=pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="infer"),
        )
    except pa.ArrowInvalid as error:
        told = f": {error}" if quote else ""
        raise UnreadableFile(
            f"The file cannot be read as JSON Lines{told}. From line {rows + 1:,} on, write one object "
            "to a line, with values of one kind under each name."
        ) from error


def _refuse_deep(data: bytes, rows: int) -> None:
    """Raise UnreadableFile for objects within objects without end, on which the parser would die."""
    codes = np.frombuffer(data, dtype=np.uint8)
    opened = np.flatnonzero((codes == ord("{")) | (codes == ord("[")))
    ends = np.append(np.flatnonzero(codes == ord("\n")), len(data))
    before = np.concatenate([[0], np.searchsorted(opened, ends)])
    for line in np.flatnonzero(np.diff(before) > DEEPEST):
        text = data[ends[line - 1] + 1 if line else 0 : ends[line]]
        try:
            deep = _depth(msgspec.json.decode(text)) > DEEPEST
        except (RecursionError, msgspec.DecodeError):
            deep = True
        if deep:
            raise UnreadableFile(
                f"Line {rows + int(line) + 1:,} is no JSON object, or one nested deeper than {DEEPEST} "
                "levels. Write each row as one flat object."
            )


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(_depth, inner), default=0)


def _flat(table: pa.Table) -> pa.Table:
    while any(pa.types.is_struct(kind) for kind in table.schema.types):
        table = table.flatten()
    for field in table.schema:
        if pa.types.is_nested(field.type):
            raise UnreadableFile(
                f"Column {field.name!r} holds lists. Only numbers, text, dates and yes/no are learnt from: "
                "write each item under a name of its own, or leave the list out."
            )
    return table


def _aligned(table: pa.Table, schema: pa.Schema) -> pa.Table:
    columns = []
    for field in schema:
        if field.name not in table.column_names:
            columns.append(pa.nulls(table.num_rows, field.type))
            continue
        column = table.column(field.name)
        columns.append(column if column.type == field.type else column.cast(field.type, safe=False))
    return pa.table(columns, schema=schema)
