"""Reading past predictions: CSV with a header, JSON Lines, or Parquet; a bad line is told, not fatal."""

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from feedback.errors import UnreadableFeedbackFile
from registry.protocols.tables import MAGIC, parquet_rows
from registry.tabular.schema import Column

MOST_COLUMNS = 10_000


class PastForm(StrEnum):
    """How the lines are written."""

    CSV = "csv"
    JSON_LINES = "jsonl"
    PARQUET = "parquet"


class Line(NamedTuple):
    """One line: its number, counted from 1 below a header, and its cells; or why it cannot be read."""

    number: int
    cells: Mapping[str, Any]
    fault: str = ""


def past_form_of(name: str, body: bytes) -> PastForm:
    """Return the form that a file's name or its first bytes tell; CSV where they tell none."""
    if body.startswith(MAGIC) or name.lower().endswith(".parquet"):
        return PastForm.PARQUET
    return PastForm.JSON_LINES if name.lower().endswith((".jsonl", ".ndjson")) else PastForm.CSV


def read_past(body: bytes, form: PastForm, *, columns: Sequence[Column], most: int) -> Iterator[Line]:
    """Yield the lines; cells of CSV are text, ``columns`` says which of Parquet are true or false.

    Raises UnreadableFeedbackFile for what is no such file or has more than ``most`` lines, and, of Parquet,
    UnreadableRows and InvalidRows.
    """
    if form is PastForm.PARQUET:
        return (Line(place, cells) for place, cells in enumerate(parquet_rows(body, columns, most), start=1))
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableFeedbackFile(f"The file is not UTF-8 text: byte {error.start} is wrong.") from error
    if "\0" in text:
        raise UnreadableFeedbackFile("The file holds binary data. Send CSV, JSON Lines or Parquet.")
    lines = _of_csv(text) if form is PastForm.CSV else _of_json(text)
    return _at_most(lines, most)


def _at_most(lines: Iterator[Line], most: int) -> Iterator[Line]:
    for count, line in enumerate(lines, start=1):
        if count > most:
            raise UnreadableFeedbackFile(
                f"There are more than {most:,} lines. Split them into several files."
            )
        yield line


def _of_csv(text: str) -> Iterator[Line]:
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    header: list[str] = []
    number = 0
    while True:
        try:
            row = next(reader, None)
        except csv.Error as error:
            number += 1
            yield Line(number, {}, f"The line cannot be read: {error}.")
            continue
        if row is None:
            return
        if not header:
            header = _header(row)
        elif row:
            number += 1
            fits = len(row) == len(header)
            fault = "" if fits else f"It has {len(row)} values; the first line names {len(header)} columns."
            yield Line(number, dict(zip(header, row, strict=True)) if fits else {}, fault)


def _header(row: Sequence[str]) -> list[str]:
    names = [name.strip() for name in row]
    doubled = sorted({name for name in names if names.count(name) > 1}) if len(names) <= MOST_COLUMNS else []
    if doubled or len(names) > MOST_COLUMNS or not any(names):
        why = f"names {doubled[0]!r} twice" if doubled else "names no columns, or too many"
        raise UnreadableFeedbackFile(f"The file's first line {why}.")
    return names


def _of_json(text: str) -> Iterator[Line]:
    number = 0
    for line in text.splitlines():
        if not line.strip():
            continue
        number += 1
        try:
            told = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError):
            yield Line(number, {}, "The line is not JSON.")
            continue
        fits = isinstance(told, dict)
        yield Line(number, told if fits else {}, "" if fits else "The line is no object of names and values.")


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")
