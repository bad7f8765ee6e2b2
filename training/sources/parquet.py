"""Reading Parquet files that anybody may have made, in bounded memory."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from django.conf import settings
from pyarrow import parquet

from training.errors import UnreadableFile
from training.sources.headers import check_header

BATCH_ROWS = 1024
MEASURED_ROWS = 65_536  # at a time
OFFSET_BYTES = 4  # what the place of each text takes
FLAT = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS = 1_000_000
FIRST_MOMENT = int((datetime(1, 1, 1, tzinfo=UTC) - EPOCH).total_seconds()) * MICROSECONDS
LAST_MOMENT = int((datetime(9999, 12, 31, tzinfo=UTC) - EPOCH).total_seconds()) * MICROSECONDS


def read_parquet(path: Path) -> pa.Table:
    """Return the file's flat columns, text as plain text; raises UnreadableFile."""
    try:
        file = parquet.ParquetFile(path)
        _check_shape(file)
        _check_size(path, file.schema_arrow)
        table = pa.Table.from_batches(_batches(file), schema=_plain(file.schema_arrow))
        table.validate(full=True)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise UnreadableFile(f"The Parquet file is damaged: {error}. Write it again.") from error
    table = table.select([name for name in table.column_names if not name.startswith("__index_level_")])
    for name, column in zip(table.column_names, table.columns, strict=True):
        _check_values(name, column)
    return table


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


def _check_size(path: Path, schema: pa.Schema) -> None:
    """Raise UnreadableFile where the texts would take too much, in memory that does not grow with them.

    A few kilobytes can spell many gigabytes of one repeated text. So texts are read as dictionaries first, in
    which each is there once, and their lengths are added up.
    """
    texts = [field.name for field in schema if not _has_width(_decoded(field.type))]
    if not texts:
        return
    size = 0
    for batch in parquet.ParquetFile(path, read_dictionary=texts).iter_batches(MEASURED_ROWS, columns=texts):
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


def _batches(file: parquet.ParquetFile) -> Iterator[pa.RecordBatch]:
    return (batch.cast(_plain(batch.schema)) for batch in file.iter_batches(batch_size=BATCH_ROWS))


def _plain(schema: pa.Schema) -> pa.Schema:
    return pa.schema([pa.field(field.name, _decoded(field.type)) for field in schema])


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
