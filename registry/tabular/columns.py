"""The vocabulary of a table's schema."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import Any

import msgspec


class ColumnType(StrEnum):
    """What a column means to a model."""

    numeric = "numeric"
    integer = "integer"
    boolean = "boolean"
    category = "category"
    text = "text"
    date = "date"
    identifier = "identifier"
    ignored = "ignored"


class Treatment(StrEnum):
    """What is kept of a personal column wherever rows are shown, logged or taken out."""

    pseudonymise = "pseudonymise"
    drop = "drop"


NUMBER_TYPES = frozenset({ColumnType.numeric, ColumnType.integer, ColumnType.boolean})
TEXT_TYPES = frozenset({ColumnType.category, ColumnType.text, ColumnType.identifier})
UNUSED_TYPES = frozenset({ColumnType.identifier, ColumnType.ignored})


class Column(msgspec.Struct, frozen=True):
    """One column: ``categories`` holds a category column's values, the most frequent first, at most 1,000.

    ``personal`` is None, or says what is kept of the values; a personal column lists no categories. ``unit``
    (mmol/l, EUR) and ``description`` are for people.
    """

    name: str
    type: ColumnType
    nullable: bool
    categories: tuple[str, ...] = ()
    personal: Treatment | None = None
    unit: str = ""
    description: str = ""


def columns_to_json(columns: Sequence[Column]) -> list[dict[str, Any]]:
    """Columns as plain dictionaries that fit a JSON field."""
    plain: list[dict[str, Any]] = msgspec.to_builtins(list(columns))
    return plain


def columns_from_json(items: Iterable[Any]) -> list[Column]:
    """The reverse of :func:`columns_to_json`; raises ``msgspec.ValidationError`` on anything else."""
    return msgspec.convert(list(items), list[Column])
