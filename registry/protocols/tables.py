"""Rows from a table sent as CSV or Parquet, guarded by what may be asked in one request."""

import csv
import io
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import parquet

from registry.errors import UnreadableRows
from registry.inference.files import TRUTHS, frame_rows
from registry.protocols.faults import check_count, check_once, fault, refused
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType

MAGIC = b"PAR1"
# Unicode's other digits are not read as numbers; nor are nan, inf and 1_000, which Python would take.
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
WHOLE = re.compile(r"[+-]?\d{1,20}", re.ASCII)
MOST_COLUMNS = 10_000
MOST_UNPACKED = 100_000_000  # bytes that a Parquet file may unpack to


def csv_rows(body: bytes, columns: Sequence[Column], most: int) -> list[dict[str, Any]]:
    """Return the rows of a CSV document with a header line; an empty cell is a missing value.

    A cell is read as its column's type says, and stays text where it does not fit, for ``check_rows`` to
    name.
    Raises UnreadableRows, and InvalidRows for more than ``most`` rows.
    """
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableRows(
            f"The CSV is not UTF-8 text: byte {error.start} is wrong. Save it as UTF-8."
        ) from error
    lines = _lines(text)
    header = _header(next(lines, []))
    kinds = {column.name: column.type for column in columns}
    types = [kinds.get(name) for name in header]
    rows = []
    for number, cells in enumerate(lines, start=1):
        if len(cells) != len(header):
            raise UnreadableRows(
                f"Data row {number} of the CSV has {len(cells)} cells; the header has {len(header)}. "
                "Write each row with as many, and quote cells that hold a comma."
            )
        if number > most:
            check_count(number, most)
        rows.append(
            {name: cell_value(cell, kind) for name, cell, kind in zip(header, cells, types, strict=True)}
        )
    check_count(len(rows), most)
    return rows


def parquet_rows(body: bytes, columns: Sequence[Column], most: int) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file; raises UnreadableRows, and InvalidRows for too many rows."""
    if not (body.startswith(MAGIC) and body.endswith(MAGIC)):
        raise UnreadableRows("The body is no Parquet file. Write it again, or send JSON or CSV.")
    try:
        return _table_rows(body, columns, most)
    except (pa.ArrowException, OSError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise UnreadableRows(f"The Parquet file is damaged: {str(error)[:200]}. Write it again.") from error


def _lines(text: str) -> Iterator[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise UnreadableRows(
                f"Line {reader.line_num} of the CSV cannot be read: {error}. Check its quotation marks."
            ) from error
        if cells is None:
            return
        if cells:  # an empty line is none
            yield cells


def _header(names: list[str]) -> list[str]:
    if not any(name.strip() for name in names):
        raise UnreadableRows(
            "The CSV is empty. Send a header line with the columns, then a line for each row."
        )
    if len(names) > MOST_COLUMNS:
        raise UnreadableRows(f"The CSV has {len(names):,} columns. Send those that the model looks at.")
    check_once(names)
    return names


def cell_value(text: str, kind: ColumnType | None) -> Any:
    """Return what a cell of text says as its column's type; text where it does not fit, None where empty."""
    if not text:
        return None
    if kind is ColumnType.boolean:
        return TRUTHS.get(text.strip().lower(), text)
    if kind in NUMBER_TYPES:
        plain = text.strip()
        if WHOLE.fullmatch(plain):
            return int(plain)
        return float(plain) if len(plain) < 400 and NUMBER.fullmatch(plain) else text
    return text


def _table_rows(body: bytes, columns: Sequence[Column], most: int) -> list[dict[str, Any]]:
    file = parquet.ParquetFile(pa.BufferReader(body))
    about, schema = file.metadata, file.schema_arrow
    check_count(about.num_rows, most)
    groups = [about.row_group(place) for place in range(about.num_row_groups)]
    _refuse_huge(sum(group.total_byte_size for group in groups))
    _check_columns(schema)
    texts = [field.name for field in schema if _is_text(field.type)]
    # Each text is read once first, however often it stands in the table: a few kilobytes can spell gigabytes.
    table = parquet.ParquetFile(pa.BufferReader(body), read_dictionary=texts).read()
    _refuse_huge(sum(_unpacked(column) for column in table.columns))
    plain = pa.schema([(field.name, _plain(field.type)) for field in schema])
    frame = table.cast(plain).to_pandas(date_as_object=False, ignore_metadata=True)
    kept = [name for name in frame.columns if not str(name).startswith("__index_level_")]
    return frame_rows(frame[kept], columns)


def _check_columns(schema: pa.Schema) -> None:
    if len(schema) > MOST_COLUMNS:
        raise UnreadableRows(f"The file has {len(schema):,} columns. Send those that the model looks at.")
    check_once(schema.names)
    for field in schema:
        kind = _plain(field.type)
        if not (pa.types.is_primitive(kind) or _is_text(kind)) or pa.types.is_duration(kind):
            raise refused(
                [
                    fault(
                        field.name,
                        "wrong_datatype",
                        f"{field.type} values are neither numbers, text nor dates.",
                    )
                ]
            )


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def _plain(kind: pa.DataType) -> pa.DataType:
    """Return the type that a column is read as: decimals and half floats as numbers, coded texts as texts."""
    if pa.types.is_dictionary(kind):
        return _plain(kind.value_type)
    return pa.float64() if pa.types.is_decimal(kind) or pa.types.is_float16(kind) else kind


def _unpacked(column: pa.ChunkedArray) -> int:
    size = 0
    for chunk in column.chunks:
        if pa.types.is_dictionary(chunk.type) and _is_text(chunk.type.value_type):
            lengths = pc.binary_length(chunk.dictionary).cast(pa.int64())
            size += int(pc.sum(lengths.take(chunk.indices)).as_py() or 0)
        else:
            size += int(chunk.nbytes)
    return size


def _refuse_huge(size: int) -> None:
    if size > MOST_UNPACKED:
        raise UnreadableRows(
            f"The file unpacks to more than {MOST_UNPACKED:,} bytes. Send fewer rows or shorter texts."
        )
