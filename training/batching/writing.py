"""Writing a piece of the answers, and joining all pieces to one file."""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Protocol

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as pacsv
from pyarrow import ipc, parquet

from mlplatform.csv_cells import DANGEROUS, LOOKED_PAST, safe_cell
from training.models.batch import FileForm

PIECE = 1 << 20
NUMBER = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?$"
# The hyphen comes last, where it is no range.
FORMULA = f"^[{LOOKED_PAST}]*[{''.join(sorted(DANGEROUS, key='-'.__eq__))}]"
GROUP_ROWS = 1 << 17
MEDIA_TYPES: dict[str, str] = {
    FileForm.CSV: "text/csv",
    FileForm.PARQUET: "application/vnd.apache.parquet",
    FileForm.JSON_LINES: "application/jsonl",
}


class Target(Protocol):
    """What bytes can be written to."""

    def write(self, data: Any, /) -> Any:
        """Take the next bytes."""


class HashedSink:
    """A file that is written to, and knows the hash and the number of its bytes."""

    def __init__(self, target: Target) -> None:
        self._target, self._hash, self.size, self.closed = target, hashlib.sha256(), 0, False

    @property
    def sha256(self) -> str:
        """The hash of what was written so far."""
        return self._hash.hexdigest()

    def write(self, data: Any) -> int:
        """Take the next bytes."""
        view = memoryview(data)
        self._hash.update(view)
        self.size += view.nbytes
        self._target.write(view)
        return view.nbytes

    def flush(self) -> None:
        """Do nothing: what is sealed is written in whole pieces."""


def write_piece(runs: Iterable[pa.Table], form: str, target: HashedSink, *, first: bool) -> None:
    """Write the rows of one piece, run by run; the ``first`` piece of a CSV file begins with the header."""
    WRITERS[form](iter(runs), target, first)


def _write_arrow(runs: Iterator[pa.Table], target: HashedSink, first: bool) -> None:
    """Write a stream of Arrow batches, of which the joining makes a file of Parquet."""
    run = next(runs)
    with ipc.new_stream(pa.PythonFile(target, "w"), run.schema) as writer:
        writer.write_table(run)
        for run in runs:
            writer.write_table(run)


def _write_lines(runs: Iterator[pa.Table], target: HashedSink, first: bool) -> None:
    encode = msgspec.json.Encoder().encode_lines
    for run in runs:
        for batch in run.to_batches(max_chunksize=8_192):
            target.write(encode([_plain(row) for row in batch.to_pylist()]))


def _write_csv(runs: Iterator[pa.Table], target: HashedSink, first: bool) -> None:
    for run in runs:
        options = pacsv.WriteOptions(include_header=first, quoting_style="needed")
        pacsv.write_csv(_spreadsheet(run), pa.PythonFile(target, "w"), options)
        first = False


WRITERS: dict[str, Callable[[Iterator[pa.Table], HashedSink, bool], None]] = {
    FileForm.CSV: _write_csv,
    FileForm.PARQUET: _write_arrow,
    FileForm.JSON_LINES: _write_lines,
}


def join_pieces(pieces: Iterable[IO[bytes]], form: str, target: HashedSink) -> None:
    """Write the pieces, in their order, as one file."""
    if form == FileForm.PARQUET:
        _join_parquet(pieces, target)
        return
    for piece in pieces:
        with piece:
            while some := piece.read(PIECE):
                target.write(some)


def _join_parquet(pieces: Iterable[IO[bytes]], target: HashedSink) -> None:
    batches = _batches(pieces)
    first = next(batches)
    # Telling whether numbers repeat costs more than writing them.
    texts = [field.name for field in first.schema if pa.types.is_string(field.type)]
    with parquet.ParquetWriter(pa.PythonFile(target, "w"), first.schema, use_dictionary=texts) as writer:
        held, rows = [first], first.num_rows
        for batch in batches:
            if rows + batch.num_rows > GROUP_ROWS:
                writer.write_table(pa.Table.from_batches(held))
                held, rows = [], 0
            held.append(batch)
            rows += batch.num_rows
        writer.write_table(pa.Table.from_batches(held))


def _batches(pieces: Iterable[IO[bytes]]) -> Iterator[pa.RecordBatch]:
    for piece in pieces:
        with piece, ipc.open_stream(piece) as reader:
            yield from reader


def _spreadsheet(table: pa.Table) -> pa.Table:
    """Return the table with cells that no spreadsheet takes for formulas, in the order of its columns."""
    columns = [_cells(column) for column in table.columns]
    return pa.table(columns, names=[safe_cell(name) for name in table.column_names])


def _cells(column: pa.ChunkedArray) -> pa.ChunkedArray:
    kind = column.type
    if not pa.types.is_string(kind):
        known = pa.types.is_floating(kind) or pa.types.is_integer(kind) or pa.types.is_boolean(kind)
        return column if known or pa.types.is_null(kind) else column.cast(pa.string())
    present = pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)
    risky = pc.match_substring_regex(present, FORMULA)
    if not pc.any(risky).as_py():
        return present
    risky = pc.and_not(risky, pc.match_substring_regex(present, NUMBER))
    return pc.if_else(risky, pc.binary_join_element_wise("'", present, ""), present)


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Return the row without numbers that JSON has no form for."""
    return {name: None if value != value else value for name, value in row.items()}
