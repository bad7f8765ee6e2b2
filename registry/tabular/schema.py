"""A table's schema: its vocabulary, how it is guessed, and how a frame is brought to it."""

from registry.tabular.coercion import coerce_frame
from registry.tabular.columns import (
    NUMBER_TYPES,
    TEXT_TYPES,
    UNUSED_TYPES,
    Column,
    ColumnType,
    Treatment,
    columns_from_json,
    columns_to_json,
)
from registry.tabular.errors import SchemaMismatch
from registry.tabular.inference import infer_schema

__all__ = [
    "NUMBER_TYPES",
    "TEXT_TYPES",
    "UNUSED_TYPES",
    "Column",
    "ColumnType",
    "SchemaMismatch",
    "Treatment",
    "coerce_frame",
    "columns_from_json",
    "columns_to_json",
    "infer_schema",
]
