"""Reading a piece of a CSV file whose columns' types are known from the model."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as pacsv

from registry.tabular.coercion import TRUTHS
from registry.tabular.schema import NUMBER_TYPES, Column, ColumnType
from training.batching.layouts import Layout
from training.batching.taken import Taken
from training.errors import UnreadableFile
from training.sources.delimited import NULLS

Kinds = Mapping[str, pa.DataType]
LONGEST_BLOCK = (1 << 31) - 1


def read_text_rows(data: bytes, layout: Layout, columns: Sequence[Column], wanted: Sequence[str]) -> Taken:
    """Return the rows of a piece of whole records.

    Numbers come as numbers where all of them are, else their columns come as text, like everything else. A
    row with too few or too many cells is broken, and stands in the table as one without values.
    """
    types = {column.name: column.type for column in columns}
    numbers = {name: pa.float64() for name, kind in types.items() if _is_number(kind)}
    texts = dict.fromkeys(wanted, pa.string())
    table, ragged = _parsed(data, layout, wanted, texts | numbers, texts)
    broken = {row: f"It has {cells} cells where the header has {len(layout.names)}." for row, cells in ragged}
    if broken:
        table = _with_gaps(table, sorted(broken))

    def exact(places: Sequence[int]) -> list[dict[str, Any]]:
        some = table.select(list(types)).take(pa.array(places, pa.int64())).to_pylist()
        return [{name: _value(cell, types[name]) for name, cell in row.items()} for row in some]

    return Taken(table, exact, np.zeros(table.num_rows, dtype=bool), broken, ("", *NULLS))


def _is_number(kind: ColumnType) -> bool:
    return kind in NUMBER_TYPES and kind is not ColumnType.boolean


def _parsed(
    data: bytes, layout: Layout, wanted: Sequence[str], kinds: Kinds, texts: Kinds
) -> tuple[pa.Table, list[tuple[int, int]]]:
    """Return the table, and the rows (from 0) with the wrong number of cells, which are not in it."""
    try:
        return _parse(data, layout, wanted, kinds)
    except pa.ArrowInvalid:
        pass  # some cell is no number: all are read as text, and the rows are looked at one by one
    try:
        return _parse(data, layout, wanted, texts)
    except pa.ArrowInvalid as first:
        try:
            return _parse(data.decode("cp1252").encode(), layout, wanted, texts)
        except (pa.ArrowInvalid, UnicodeDecodeError):
            raise UnreadableFile(
                "The file cannot be read as CSV: save it in UTF-8, with quotes around text that holds line "
                "breaks or the sign between columns."
            ) from first


def _parse(
    data: bytes, layout: Layout, wanted: Sequence[str], kinds: Kinds
) -> tuple[pa.Table, list[tuple[int, int]]]:
    ragged: list[tuple[int, int]] = []

    def skip(row: pacsv.InvalidRow) -> str:
        ragged.append((row.number - 1, row.actual_columns))
        return "skip"

    table = pacsv.read_csv(
        pa.BufferReader(data),
        # One block: the parser counts the rows of a block alone.
        read_options=pacsv.ReadOptions(
            column_names=layout.names, use_threads=False, block_size=min(len(data) + 1, LONGEST_BLOCK)
        ),
        parse_options=pacsv.ParseOptions(
            delimiter=layout.delimiter, newlines_in_values=b'"' in data, invalid_row_handler=skip
        ),
        convert_options=pacsv.ConvertOptions(
            column_types=dict(kinds),
            include_columns=list(wanted),
            null_values=NULLS,
            strings_can_be_null=False,
        ),
    )
    return table, ragged


def _with_gaps(table: pa.Table, places: Sequence[int]) -> pa.Table:
    """Return the table with rows of nothing at these places."""
    gaps = set(places)
    kept = iter(range(table.num_rows))
    rows = [None if place in gaps else next(kept) for place in range(table.num_rows + len(gaps))]
    return table.take(pa.array(rows, pa.int64()))


def _value(cell: Any, kind: ColumnType) -> Any:
    """Return the cell as it would be sent as JSON; what is not of its column's type stays text."""
    if not isinstance(cell, str):
        return cell
    text = cell.strip()
    if text in NULLS or not text:
        return None
    if kind is ColumnType.boolean:
        truth = TRUTHS.get(text.lower())
        return text if truth is None else bool(truth)
    if kind in NUMBER_TYPES:
        return _number(text)
    return cell


def _number(text: str) -> float | str:
    try:
        number = float(text)
    except ValueError:
        return text
    return text if math.isnan(number) else number
