"""Reading Parquet files that anybody may have made, in bounded memory."""

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from pyarrow import parquet

from training.errors import UnreadableFile
from training.sources.headers import check_header
from training.sources.pieces import Pieces

BATCH_ROWS = 1024
PART_ROWS = 1 << 18  # about so many make a part
MEASURED_ROWS = 65_536  # at a time
OFFSET_BYTES = 4  # what the place of each text takes
FLAT = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = 1_000_000
FIRST_MOMENT = int((datetime(1, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * MICROSECONDS
LAST_MOMENT = int((datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).total_seconds()) * MICROSECONDS


def read_parquet(path: Path) -> Pieces:
    """Return the file's flat columns, text as plain text.

    Raises UnreadableFile, now or while the parts are read.
    """
    with _told():
        file = open_parquet(path)
        names = [name for name in file.schema_arrow.names if not name.startswith("__index_level_")]
        gaps = _whole_numbers_with_gaps(file) if file.metadata.num_rows > PART_ROWS else set()
    schema = _plain(file.schema_arrow, gaps)

    def tables() -> Iterator[pa.Table]:
        with _told():
            held: list[pa.RecordBatch] = []
            rows = 0
            for batch in file.iter_batches(batch_size=BATCH_ROWS):
                held.append(batch.cast(schema, safe=False))
                rows += batch.num_rows
                if rows >= PART_ROWS:
                    yield _checked(held, schema, names)
                    held, rows = [], 0
            if held or not file.metadata.num_rows:
                yield _checked(held, schema, names)

    return Pieces(tables)


def open_parquet(source: Path | IO[bytes]) -> parquet.ParquetFile:
    """Return the opened file once it is known that it holds flat columns and unpacks to no monster.

    Raises UnreadableFile.
    """
    with _told():
        file = parquet.ParquetFile(source)
        _check_shape(file)
        _check_size(source, file.schema_arrow)
    return file


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"The Parquet file is damaged: {error}. Write it again.") from error


def _checked(held: list[pa.RecordBatch], schema: pa.Schema, names: list[str]) -> pa.Table:
    table = pa.Table.from_batches(held, schema=schema)
    table.validate(full=True)
    table = table.select(names)
    for name, column in zip(table.column_names, table.columns, strict=True):
        _check_values(name, column)
    return table


def _whole_numbers_with_gaps(file: parquet.ParquetFile) -> set[str]:
    """Return the columns of whole numbers in which some are missing, so that all parts get the same type."""
    whole = [field.name for field in file.schema_arrow if pa.types.is_integer(_decoded(field.type))]
    if not whole:
        return set()
    found: set[str] = set()
    for batch in file.iter_batches(MEASURED_ROWS, columns=whole):
        columns = zip(batch.schema.names, batch.columns, strict=True)
        found.update(name for name, column in columns if column.null_count)
    return found


def _check_shape(file: parquet.ParquetFile) -> None:
    schema: pa.Schema = file.schema_arrow
    check_header([name for name in schema.names if not name.startswith("__index_level_")])
    for field in schema:
        if any(test(_decoded(field.type)) for test in FLAT):
            raise UnreadableFile(
                f"Column {field.name!r} holds {field.type} values. Only numbers, text, dates and yes/no are "
                "learnt from: turn it into plain columns, or remove it."
            )
    # A billion rows of one repeated number are a file of some kilobytes.
    widths = sum(_width(_decoded(field.type)) for field in schema)
    _refuse_huge(file.metadata.num_rows * widths)


def _width(kind: pa.DataType) -> float:
    try:
        return float(kind.bit_width) / 8
    except ValueError:  # text, and what has no width of its own
        return OFFSET_BYTES


def _check_size(source: Path | IO[bytes], schema: pa.Schema) -> None:
    """Raise UnreadableFile where the texts would take too much, in memory that does not grow with them.

    A few kilobytes can spell many gigabytes of one repeated text. So texts are read as dictionaries first, in
    which each is there once, and their lengths are added up.
    """
    texts = [field.name for field in schema if not _has_width(_decoded(field.type))]
    if not texts:
        return
    size = 0
    for batch in parquet.ParquetFile(source, read_dictionary=texts).iter_batches(
        MEASURED_ROWS, columns=texts
    ):
        size += sum(map(_unpacked_bytes, batch.columns))
        _refuse_huge(size)


def _has_width(kind: pa.DataType) -> bool:
    return bool(pa.types.is_primitive(kind))


def _unpacked_bytes(column: pa.Array) -> int:
    if not pa.types.is_dictionary(column.type):
        return int(column.nbytes)
    lengths = pc.binary_length(column.dictionary).cast(pa.int64())
    return int(pc.sum(lengths.take(column.indices)).as_py() or 0) + OFFSET_BYTES * len(column)


def _refuse_huge(size: float) -> None:
    if size > settings.MAX_TABLE_BYTES:
        raise UnreadableFile(
            f"The file unpacks to more than {settings.MAX_TABLE_BYTES:,} bytes. "
            "Send fewer rows or shorter texts."
        )


def _plain(schema: pa.Schema, decimal: Collection[str]) -> pa.Schema:
    return pa.schema(
        [
            pa.field(field.name, pa.float64() if field.name in decimal else _decoded(field.type))
            for field in schema
        ]
    )


def _decoded(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _check_values(name: str, column: pa.ChunkedArray) -> None:
    kind = column.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        if _any(pc.match_substring(column, "\x00")):
            raise UnreadableFile(f"Column {name!r} holds a NUL character, which no text has. Remove it.")
    elif pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        try:
            moments = column.cast(pa.timestamp("us"), safe=False) if pa.types.is_date(kind) else column
            ticks = moments.cast(pa.timestamp("us", getattr(kind, "tz", None)), safe=False).cast(pa.int64())
        except pa.ArrowInvalid:
            raise _wrong_year(name) from None
        if _any(pc.less(ticks, FIRST_MOMENT)) or _any(pc.greater(ticks, LAST_MOMENT)):
            raise _wrong_year(name)


def _wrong_year(name: str) -> UnreadableFile:
    return UnreadableFile(
        f"Column {name!r} holds a date outside the years 1 to 9999. Correct it, or leave the cell empty."
    )


def _any(flags: Any) -> bool:
    return bool(pc.any(flags).as_py())
