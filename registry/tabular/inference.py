"""Guess what each column of a new table means. People may overrule every guess."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
from msgspec.structs import replace

from registry.tabular.coercion import coerce_column, is_plain_number, read_dates
from registry.tabular.columns import Column, ColumnType
from registry.tabular.errors import SchemaMismatch
from registry.tabular.labels import as_text

MAX_CATEGORIES = 1000
FEW_DISTINCT = 50
FEW_DISTINCT_SHARE = 0.05
MANY_DISTINCT_SHARE = 0.5
DATE_SHARE = 0.95
IDENTIFIER_MIN_ROWS = 20
TEXT_MIN_WORDS = 4.0
TEXT_MIN_CHARACTERS = 60.0
SAMPLE_ROWS = 20_000

IDENTIFIER_NAME = re.compile(r"^(id|uuid|guid|index|row|.*[_\s-](id|uuid)|unnamed: ?\d+)$", re.IGNORECASE)
ISO_DATE = r"\d{4}-\d{2}(?:-\d{2}(?:[T ]\d{2}.*)?)?"
NUMBER_WITH_LEADING_ZERO = r"[+-]?0\d.*"


@dataclass(frozen=True)
class Counted:
    """How many values a column has in a table of which only a sample is at hand."""

    present: int
    distinct: int


def infer_schema(
    frame: pd.DataFrame,
    *,
    types: Mapping[str, ColumnType] | None = None,
    counted: Mapping[str, Counted] | None = None,
) -> list[Column]:
    """One column description per column of the frame, in its order.

    ``types`` are those that somebody chose, which no guess replaces; ``counted`` tells how many values each
    column really has, where the frame is a sample of the table. Raises SchemaMismatch where a column's values
    are not of the type chosen.

    A column without any value is ``ignored``. Text is read as numbers where every value is one, as dates
    where more than 95 % are ISO 8601, as prose where long, as an identifier where (nearly) no value
    repeats, else as a category.
    """
    known, chosen = counted or {}, types or {}
    return [
        _described(str(name), frame[name], chosen.get(str(name)), known.get(str(name)))
        for name in frame.columns
    ]


def _described(
    name: str, values: "pd.Series[Any]", chosen: ColumnType | None, counted: Counted | None
) -> Column:
    kind = chosen or _kind(name, values, counted)
    categories: tuple[str, ...] = ()
    if kind is ColumnType.category:
        categories = frequent_values(as_text(values), MAX_CATEGORIES)
    column = Column(name=name, type=kind, nullable=True, categories=categories)
    coerced = coerce_column(values, column)
    if chosen:
        refuse_misfits(values, coerced, column)
    # Blank text, infinities and unreadable dates reach a model as missing values, too.
    return replace(column, nullable=bool(coerced.isna().any()))


def refuse_misfits(values: "pd.Series[Any]", coerced: "pd.Series[Any]", column: Column) -> None:
    """Raise SchemaMismatch where values can be read as the column's type and are still not of it.

    Whole numbers have no fractions, and a column of dates is one where at most a twentieth cannot be read.
    """
    if column.type is ColumnType.integer and not pd.api.types.is_integer_dtype(values):
        if bool((coerced.dropna() % 1 != 0).any()):
            raise SchemaMismatch(
                f"Column {column.name} holds numbers that are not whole. Choose numeric for it.",
                fields={column.name: "Holds numbers that are not whole."},
            )
    elif column.type is ColumnType.date:
        present = int(as_text(values).notna().sum()) if not _is_date(values) else int(values.notna().sum())
        if int(coerced.notna().sum()) < DATE_SHARE * present:
            raise SchemaMismatch(
                f"Column {column.name} holds values that are no ISO 8601 dates, such as 2026-01-31. "
                "Write the dates so and import the file again, or choose text or category.",
                fields={column.name: "Holds values that are no ISO 8601 dates."},
            )


def _is_date(values: "pd.Series[Any]") -> bool:
    return bool(pd.api.types.is_datetime64_any_dtype(values))


def frequent_values(text: "pd.Series[Any]", limit: int) -> tuple[str, ...]:
    """The distinct values, the most frequent first and equals in alphabetical order, at most ``limit``."""
    counts = text.value_counts()
    ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
    return tuple(str(value) for value, _ in ordered[:limit])


def _kind(name: str, values: "pd.Series[Any]", counted: Counted | None) -> ColumnType:
    present = values.dropna()
    if present.empty:
        return ColumnType.ignored
    if is_plain_number(values) and values.dtype.kind == "f":
        return ColumnType.numeric
    if pd.api.types.is_bool_dtype(present.infer_objects()):
        return ColumnType.boolean
    if pd.api.types.is_datetime64_any_dtype(values):
        return ColumnType.date
    if pd.api.types.is_integer_dtype(values):
        return ColumnType.identifier if _numbers_rows(name, present, counted) else ColumnType.integer
    if pd.api.types.is_numeric_dtype(values):
        return ColumnType.numeric
    return _kind_of_text(as_text(present).dropna(), counted)


def _numbers_rows(name: str, present: "pd.Series[Any]", counted: Counted | None) -> bool:
    if len(present) < IDENTIFIER_MIN_ROWS or not IDENTIFIER_NAME.match(name) or not present.is_unique:
        return False
    return counted is None or counted.distinct > MANY_DISTINCT_SHARE * counted.present


def _kind_of_text(text: "pd.Series[Any]", counted: Counted | None) -> ColumnType:
    if text.empty:
        return ColumnType.ignored
    sample = text.head(SAMPLE_ROWS)
    if _all_numbers(text):
        return ColumnType.numeric
    if _mostly_dates(sample):
        return ColumnType.date
    distinct, rows = (counted.distinct, counted.present) if counted else (text.nunique(), len(text))
    share = distinct / max(rows, 1)
    if share > MANY_DISTINCT_SHARE and _is_prose(sample):
        return ColumnType.text
    if rows >= IDENTIFIER_MIN_ROWS and distinct == rows:
        return ColumnType.identifier
    if distinct <= FEW_DISTINCT or share <= FEW_DISTINCT_SHARE:
        return ColumnType.category
    return ColumnType.identifier if share > MANY_DISTINCT_SHARE else ColumnType.category


def _all_numbers(text: "pd.Series[Any]") -> bool:
    # A leading zero marks a code (a postcode, an article number), which arithmetic would ruin.
    if pd.to_numeric(text.head(100), errors="coerce").isna().any():
        return False
    parsed = pd.to_numeric(text, errors="coerce")
    return bool(parsed.notna().all()) and not bool(text.str.fullmatch(NUMBER_WITH_LEADING_ZERO).any())


def _mostly_dates(sample: "pd.Series[Any]") -> bool:
    shaped = sample[sample.str.fullmatch(ISO_DATE)]
    if len(shaped) <= DATE_SHARE * len(sample):
        return False
    return int(read_dates(shaped).notna().sum()) > DATE_SHARE * len(sample)


def _is_prose(sample: "pd.Series[Any]") -> bool:
    words = float((sample.str.count(r"\s+") + 1).mean())
    return words >= TEXT_MIN_WORDS or float(sample.str.len().mean()) >= TEXT_MIN_CHARACTERS
