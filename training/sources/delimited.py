"""Reading CSV files that anybody may have made, in parts of bounded size."""

import csv
import io
import tempfile
from collections import deque
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pyarrow as pa
from pyarrow import csv as pacsv

from training.errors import UnreadableFile
from training.sources.content import text_encoding
from training.sources.decimals import are_surely_numbers, could_be_numbers, numbers
from training.sources.headers import check_header, find_delimiter, first_record, shown_delimiter
from training.sources.pieces import Pieces, Seen
from training.sources.records import slices

SAMPLE_CHARACTERS = 1 << 22  # more than the longest header that is taken
NULLS = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?"]
THREADS_FROM_BYTES = 1 << 22
MOST_KEPT = 4  # parts of some 32 MB of text each; the first always is


@dataclass(frozen=True)
class Layout:
    """How a file is written, and where its rows begin; ``quote`` lets messages repeat what stands in it."""

    path: Path
    delimiter: str
    names: list[str]
    start: int
    quote: bool


@dataclass(frozen=True)
class Part:
    """Some whole rows of the file: where they stand, and what was read there, if that is kept."""

    start: int
    size: int
    table: pa.Table | None


def read_csv(path: Path, *, quote: bool, kept: ExitStack) -> Pieces:
    """Return the table; what it needs on disk is there until ``kept`` closes.

    A file of one part is read once. A longer one is read twice: first for each column's type, which may show
    late, then for the rows; of the first parts those are kept that have the types in the end. Raises
    UnreadableFile, now or while the parts are read.
    """
    layout = _layout(path, quote, kept)
    columns, parts = [Seen() for _ in layout.names], deque[Part]()
    start = layout.start
    for data in slices(layout.path, start=layout.start, delimiter=layout.delimiter):
        table = _parsed(layout, data, start, None)
        for seen, column in zip(columns, table.columns, strict=True):
            _look(seen, column)
        parts.append(Part(start, len(data), table if len(parts) < MOST_KEPT else None))
        start += len(data)
    if len(parts) < 2:
        first = parts[0].table if parts else None
        if first is None:
            first = pa.table({name: pa.nulls(0) for name in layout.names})
        return Pieces.of(_settled(first, columns, gaps_matter=False))

    def tables() -> Iterator[pa.Table]:
        kinds = pa.schema(zip(layout.names, [seen.kind for seen in columns], strict=True))
        with layout.path.open("rb") as file:
            while parts:
                yield _settled(_once_more(layout, file, parts.popleft(), kinds), columns)

    return Pieces(tables)


def _once_more(layout: Layout, file: IO[bytes], part: Part, kinds: pa.Schema) -> pa.Table:
    """Return the part with the types that suit all parts: as it was read before, where it had them then."""
    if part.table is not None and part.table.schema.equals(kinds):
        return part.table
    file.seek(part.start)
    return _parsed(layout, file.read(part.size), part.start, kinds)


def _layout(path: Path, quote: bool, kept: ExitStack) -> Layout:
    encoding = text_encoding(path)
    if encoding != "utf-8":
        path = _transcoded(path, encoding, kept)
    with path.open(encoding="utf-8-sig", newline="") as text:
        sample = text.read(SAMPLE_CHARACTERS)
    delimiter = find_delimiter(sample)
    names = first_record(sample, delimiter)
    check_header(names)
    with path.open("rb") as file:
        mark = 3 if file.read(3) == b"\xef\xbb\xbf" else 0
    return Layout(path, delimiter, names, mark + header_bytes(sample, delimiter), quote)


def _transcoded(path: Path, encoding: str, kept: ExitStack) -> Path:
    copy = tempfile.NamedTemporaryFile("w", prefix="upload-", encoding="utf-8", newline="")  # noqa: SIM115
    kept.enter_context(copy)
    with path.open(encoding=encoding, newline="") as text:
        while piece := text.read(1 << 20):
            copy.write(piece)
    copy.flush()
    return Path(copy.name)


def header_bytes(sample: str, delimiter: str, encoding: str = "utf-8") -> int:
    """Return how many bytes the header line takes, with empty lines before it."""
    lines = io.StringIO(sample, newline="").readlines()
    records = csv.reader(lines, delimiter=delimiter)
    next(record for record in records if record)
    return sum(len(line.encode(encoding)) for line in lines[: records.line_num])


def _parsed(layout: Layout, data: bytes, start: int, kinds: pa.Schema | None) -> pa.Table:
    """Return the rows of the part from byte ``start`` on; ``kinds`` are the types where they are known."""
    ragged: list[pacsv.InvalidRow] = []

    def refuse(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    def parse(threads: bool) -> pa.Table:
        return pacsv.read_csv(
            pa.BufferReader(data),
            read_options=pacsv.ReadOptions(column_names=layout.names, use_threads=threads),
            parse_options=pacsv.ParseOptions(
                delimiter=layout.delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            convert_options=pacsv.ConvertOptions(
                null_values=NULLS, strings_can_be_null=True, column_types=kinds
            ),
        )

    try:
        if len(data) >= THREADS_FROM_BYTES:
            try:
                return parse(threads=True)
            except pa.ArrowInvalid:
                ragged.clear()
        return parse(threads=False)  # one thread, so that a bad row knows its number
    except pa.ArrowInvalid as error:
        raise UnreadableFile(_why(layout, ragged, start, error)) from error


def _why(layout: Layout, ragged: list[pacsv.InvalidRow], start: int, error: Exception) -> str:
    if not ragged:
        told = f": {error}" if layout.quote else ""
        return f"The file cannot be read as CSV{told}. Export it again, with quotes around text."
    row = ragged[0]
    line = row.number + _lines_before(layout, start)
    text = f": {row.text[:80]!r}." if layout.quote else "."
    return (
        f"Line {line} has {row.actual_columns} cells where the header has "
        f"{row.expected_columns}{text} Columns are separated by {shown_delimiter(layout.delimiter)}; "
        "put quotes around text that holds one, and give every line the same number of cells."
    )


def _lines_before(layout: Layout, start: int) -> int:
    """Return how many lines stand before the part, the header among them."""
    lines, left = 1, start - layout.start
    with layout.path.open("rb") as file:
        file.seek(layout.start)
        while left > 0 and (block := file.read(min(left, 1 << 20))):
            lines += block.count(b"\n")
            left -= len(block)
    return lines


def _look(seen: Seen, column: pa.ChunkedArray) -> None:
    seen.add(column.type, bool(column.null_count))
    if pa.types.is_string(column.type):
        seen.commas = seen.commas and could_be_numbers(column)
        seen.surely = seen.surely or (seen.commas and are_surely_numbers(column))
    elif not pa.types.is_null(column.type) and not pa.types.is_integer(column.type):
        seen.commas = False


def _settled(table: pa.Table, columns: list[Seen], *, gaps_matter: bool = True) -> pa.Table:
    for place, (seen, name) in enumerate(zip(columns, table.column_names, strict=True)):
        if pa.types.is_string(seen.kind) and seen.commas and seen.surely:
            table = table.set_column(place, name, numbers(table.column(place)))
        elif gaps_matter and seen.settled() != seen.kind:
            table = table.set_column(place, name, table.column(place).cast(pa.float64(), safe=False))
    return table
