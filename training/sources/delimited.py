"""Reading CSV files that anybody may have made, in parts of bounded size."""

import csv
import io
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

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


@dataclass(frozen=True)
class Layout:
    """How a file is written, and where its rows begin; ``quote`` lets messages repeat what stands in it."""

    path: Path
    delimiter: str
    names: list[str]
    start: int
    quote: bool


def read_csv(path: Path, *, quote: bool, kept: ExitStack) -> Pieces:
    """Return the table; what it needs on disk is there until ``kept`` closes.

    A file of one part is read once. A longer one is read twice: first for each column's type, which may show
    late, then for the rows. Raises UnreadableFile, now or while the parts are read.
    """
    layout = _layout(path, quote, kept)
    columns, sizes, first = [Seen() for _ in layout.names], [], None
    for lines, data in _numbered(slices(layout.path, start=layout.start, delimiter=layout.delimiter)):
        sizes.append(len(data))
        first = _parsed(layout, data, lines, None)
        for seen, column in zip(columns, first.columns, strict=True):
            _look(seen, column)
    if first is None:
        first = pa.table({name: pa.nulls(0) for name in layout.names})
    if len(sizes) < 2:
        return Pieces.of(_settled(first, columns, gaps_matter=False))

    def tables() -> Iterator[pa.Table]:
        kinds = pa.schema(zip(layout.names, [seen.kind for seen in columns], strict=True))
        for lines, data in _numbered(_again(layout, sizes)):
            yield _settled(_parsed(layout, data, lines, kinds), columns)

    return Pieces(tables)


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
    return Layout(path, delimiter, names, mark + _header_bytes(sample, delimiter), quote)


def _transcoded(path: Path, encoding: str, kept: ExitStack) -> Path:
    copy = tempfile.NamedTemporaryFile("w", prefix="upload-", encoding="utf-8", newline="")  # noqa: SIM115
    kept.enter_context(copy)
    with path.open(encoding=encoding, newline="") as text:
        while piece := text.read(1 << 20):
            copy.write(piece)
    copy.flush()
    return Path(copy.name)


def _header_bytes(sample: str, delimiter: str) -> int:
    lines = io.StringIO(sample, newline="").readlines()
    records = csv.reader(lines, delimiter=delimiter)
    next(record for record in records if record)
    return sum(len(line.encode()) for line in lines[: records.line_num])


def _numbered(parts: Iterator[bytes]) -> Iterator[tuple[int, bytes]]:
    lines = 1  # the header's
    for data in parts:
        yield lines, data
        lines += data.count(b"\n")


def _again(layout: Layout, sizes: list[int]) -> Iterator[bytes]:
    with layout.path.open("rb") as file:
        file.seek(layout.start)
        for size in sizes:
            yield file.read(size)


def _parsed(layout: Layout, data: bytes, lines: int, kinds: pa.Schema | None) -> pa.Table:
    """Return the part's rows; ``kinds`` are the columns' types where they are known."""
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
        raise UnreadableFile(_why(layout, ragged, lines, error)) from error


def _why(layout: Layout, ragged: list[pacsv.InvalidRow], lines: int, error: Exception) -> str:
    if not ragged:
        told = f": {error}" if layout.quote else ""
        return f"The file cannot be read as CSV{told}. Export it again, with quotes around text."
    row = ragged[0]
    text = f": {row.text[:80]!r}." if layout.quote else "."
    return (
        f"Line {row.number + lines} has {row.actual_columns} cells where the header has "
        f"{row.expected_columns}{text} Columns are separated by {shown_delimiter(layout.delimiter)}; "
        "put quotes around text that holds one, and give every line the same number of cells."
    )


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
