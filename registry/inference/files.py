"""Rows to predict from a file, and answers to a file: CSV or Parquet by the file's ending."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from registry.errors import UnreadableRows
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType

ENDINGS = (".csv", ".parquet")
TRUTHS = {"true": True, "false": False}


def read_rows(path: Path, columns: Sequence[Column]) -> pd.DataFrame:
    """Return the file's table; of a CSV, number columns are read as numbers. Raises UnreadableRows."""
    if path.suffix.lower() not in ENDINGS:
        raise UnreadableRows(f"{path.name}: give a file that ends in {' or '.join(ENDINGS)}.")
    try:
        if path.suffix.lower() == ".parquet":
            return pd.read_parquet(path)
        return _read_csv(path, columns)
    except FileNotFoundError as error:
        raise UnreadableRows(f"There is no file {path}.") from error
    except (UnicodeDecodeError, ValueError, csv.Error, pa.ArrowInvalid) as error:
        raise UnreadableRows(f"{path.name} holds no readable table: {error}") from error


def frame_rows(frame: pd.DataFrame, columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Return the frame's rows as they would be sent as JSON: missing as None, dates as ISO 8601 text."""
    known = {column.name: column.type for column in columns}
    plain = {str(name): _plain(frame[name], known.get(str(name))) for name in frame.columns}
    return [dict(zip(plain, values, strict=True)) for values in zip(*plain.values(), strict=True)]


def check_output(path: Path) -> None:
    """Raise UnreadableRows where the answers could not be written there."""
    if path.suffix.lower() not in ENDINGS:
        raise UnreadableRows(f"{path.name}: give a file that ends in {' or '.join(ENDINGS)}.")
    if not path.parent.is_dir():
        raise UnreadableRows(f"There is no folder {path.parent}. Make it first.")


def write_answers(answers: pd.DataFrame, path: Path) -> None:
    """Write the answers as CSV or Parquet; raises UnreadableRows as ``check_output`` does."""
    check_output(path)
    if path.suffix.lower() == ".parquet":
        answers.to_parquet(path, index=False)
    else:
        answers.to_csv(path, index=False)


def _read_csv(path: Path, columns: Sequence[Column]) -> pd.DataFrame:
    frame = pd.read_csv(path, dtype="str", encoding="utf-8-sig", keep_default_na=False, na_values=[""])
    for column in columns:
        if column.name not in frame.columns:
            continue
        if column.type is ColumnType.boolean:
            frame[column.name] = frame[column.name].map(_truth).astype(object)
        elif column.type in NUMBER_TYPES:
            frame[column.name] = _numbers(frame[column.name])
    return frame


def _truth(text: Any) -> Any:
    return TRUTHS.get(text.strip().lower(), text) if isinstance(text, str) else None


def _numbers(text: "pd.Series[Any]") -> "pd.Series[Any]":
    numbers = pd.to_numeric(text, errors="coerce")
    if numbers.isna().sum() == text.isna().sum():
        return numbers
    # What is no number stays text, so that the check of the rows names it.
    return numbers.astype(object).where(numbers.notna(), text.astype(object))


def _plain(values: "pd.Series[Any]", kind: ColumnType | None) -> list[Any]:
    if pd.api.types.is_datetime64_any_dtype(values):
        texts = [None if pd.isna(moment) else moment.isoformat() for moment in values]
        return [text.replace("+00:00", "Z") if text else None for text in texts]
    plain = values.astype(object).where(values.notna(), None).tolist()
    if kind is ColumnType.boolean and pd.api.types.is_numeric_dtype(values):
        return [bool(value) if value in {0, 1} else value for value in plain]
    return plain
