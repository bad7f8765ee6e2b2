"""Reading tables from CSV and Parquet files that anybody may have made."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as pacsv

from training.errors import UnreadableFile
from training.sources.content import is_parquet, refuse_foreign, text_encoding
from training.sources.headers import DELIMITERS, check_header, find_delimiter, first_record
from training.sources.parquet import read_parquet

MIN_ROWS = 20
SAMPLE_CHARACTERS = 1 << 22  # more than the longest header that is taken
NULLS = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "?"]


def read_table(source: Path | str | IO[bytes], filename: str = "", *, quote: bool = True) -> pd.DataFrame:
    """Read a CSV or Parquet file, told apart by content; ``filename`` only appears in messages.

    Raises UnreadableFile with what is wrong, where, and what to do; without ``quote`` no message repeats
    what stands in the file.
    """
    with _on_disk(source) as path:
        with path.open("rb") as file:
            head = file.read(4096)
        if head and is_parquet(path):
            frame = _frame(read_parquet(path))
        else:
            refuse_foreign(head)
            frame = _read_csv(path, quote)
    return _checked(frame, filename)


@contextmanager
def _on_disk(source: Path | str | IO[bytes]) -> Iterator[Path]:
    if isinstance(source, Path | str):
        path = Path(source)
        if not path.is_file():
            raise UnreadableFile(f"There is no file {str(source)!r}. Check the path.")
        yield path
        return
    with tempfile.NamedTemporaryFile(prefix="upload-") as copy:
        source.seek(0)
        shutil.copyfileobj(source, copy, 1 << 20)
        copy.flush()
        yield Path(copy.name)


def _read_csv(path: Path, quote: bool) -> pd.DataFrame:
    encoding = text_encoding(path)
    with path.open(encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="") as text:
        sample = text.read(SAMPLE_CHARACTERS)
    delimiter = find_delimiter(sample)
    names = first_record(sample, delimiter)
    check_header(names)
    ragged: list[pacsv.InvalidRow] = []

    def refuse(row: pacsv.InvalidRow) -> str:
        ragged.append(row)
        return "error"

    try:
        table = pacsv.read_csv(
            path,
            # One thread, so that a bad row knows its number.
            read_options=pacsv.ReadOptions(encoding=encoding, use_threads=False),
            parse_options=pacsv.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, invalid_row_handler=refuse
            ),
            convert_options=pacsv.ConvertOptions(null_values=NULLS, strings_can_be_null=True),
        )
    except pa.ArrowInvalid as error:
        raise UnreadableFile(_why(ragged, error, delimiter, quote)) from error
    if table.num_columns != len(names):
        raise UnreadableFile(
            f"The header has {len(names):,} names for {table.num_columns:,} columns. Write each name on the "
            "first line, with quotes around one that holds the separator."
        )
    frame = _frame(table.rename_columns(names))
    _refuse_data_as_header(frame)
    return frame


def _why(ragged: list[pacsv.InvalidRow], error: Exception, delimiter: str, quote: bool) -> str:
    if not ragged:
        told = f": {error}" if quote else ""
        return f"The file cannot be read as CSV{told}. Export it again, with quotes around text."
    row = ragged[0]
    text = f": {row.text[:80]!r}." if quote else "."
    return (
        f"Line {row.number} has {row.actual_columns} cells where the header has {row.expected_columns}{text} "
        f"Columns are separated by {DELIMITERS[delimiter]}; put quotes around text "
        "that holds one, and give every line the same number of cells."
    )


def _refuse_data_as_header(frame: pd.DataFrame) -> None:
    """Names that all occur as values of their own column are a row of data."""
    if len(frame) and all((frame[name].astype(str) == name).any() for name in frame.columns):
        raise UnreadableFile(
            "The first line looks like data: each of its cells occurs again below it. Add a header line."
        )


def _frame(table: pa.Table) -> pd.DataFrame:
    """Return plain pandas types: numbers, booleans, timestamps, else text."""
    try:
        frame: pd.DataFrame = table.to_pandas(
            date_as_object=False, ignore_metadata=True, strings_to_categorical=False
        )
    except (pa.ArrowException, ValueError) as error:  # a time zone that nobody knows, for one
        raise UnreadableFile(
            f"A column cannot be read: {error}. Write it as plain text or UTC times."
        ) from error
    for field in table.schema:
        if pa.types.is_boolean(field.type):
            frame[field.name] = frame[field.name].astype("boolean")
        elif pa.types.is_dictionary(field.type) or pa.types.is_time(field.type):
            frame[field.name] = frame[field.name].astype("str")
        elif pa.types.is_decimal(field.type):
            frame[field.name] = frame[field.name].astype(float)
    return frame


def _checked(frame: pd.DataFrame, filename: str) -> pd.DataFrame:
    called = f"{filename[:100]!r}" if filename else "The file"
    if len(frame.columns) < 2:
        raise UnreadableFile(
            f"{called} has one column only. Send at least one input and the column to predict."
        )
    if len(frame) < MIN_ROWS:
        raise UnreadableFile(
            f"{called} has {len(frame)} rows of data; at least {MIN_ROWS} are needed. Collect more rows."
        )
    for name in frame.columns:
        if not pd.api.types.is_float_dtype(frame[name].dtype):
            continue
        infinite = np.flatnonzero(np.isinf(frame[name].to_numpy(dtype=float, na_value=np.nan)))
        if len(infinite):
            raise UnreadableFile(
                f"Column {name!r} holds an infinite number in data row {infinite[0] + 1}. "
                "Leave the cell empty where the value is unknown."
            )
    return frame
