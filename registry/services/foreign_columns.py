"""The columns of a model from elsewhere as somebody told them, and a row that fits them."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import msgspec

from registry.errors import InvalidColumns
from registry.tabular.schema import UNUSED_TYPES, Column, ColumnType, columns_from_json

MOST_COLUMNS = 2_000


def given_columns(given: Sequence[Mapping[str, Any]]) -> list[Column]:
    """Return the columns, each of which may be missing unless it says otherwise; raises InvalidColumns."""
    if len(given) > MOST_COLUMNS:
        raise InvalidColumns(f"At most {MOST_COLUMNS:,} columns are taken.")
    whole = [{"nullable": True, **one} for one in given]
    try:
        columns = columns_from_json(whole)
    except msgspec.ValidationError as error:
        raise InvalidColumns(
            f"The columns cannot be read: {error}. Give each a name and a type, one of "
            f"{', '.join(kind for kind in ColumnType if kind not in UNUSED_TYPES)}."
        ) from error
    names = [column.name for column in columns]
    if len(set(names)) != len(names) or not all(name.strip() and "\x00" not in name for name in names):
        raise InvalidColumns("Each column needs a name of its own.")
    if any(column.type in UNUSED_TYPES for column in columns):
        raise InvalidColumns("Leave out columns that the model does not use.")
    return columns


def made_up_row(columns: Sequence[Column]) -> dict[str, Any]:
    """Return a row that fits the columns."""
    return {column.name: _made_up(column) for column in columns}


def _made_up(column: Column) -> Any:
    if column.type is ColumnType.boolean:
        return False
    if column.type is ColumnType.date:
        return date(2026, 1, 1).isoformat()
    if column.type in (ColumnType.numeric, ColumnType.integer):
        return 1
    return column.categories[0] if column.categories else "example"
