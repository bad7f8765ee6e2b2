"""Writing many rows of a tenant's table at once, past the ORM, as the driver takes them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection, models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.scope import current_tenant_id

Converter = Callable[[Any], Any]
AT_ONCE = 10_000


def converter(column: "models.Field[Any, Any]", vendor: str) -> Converter:
    """Return what turns an attribute's value into what the database's driver takes for the column."""
    plain = vendor == "sqlite"
    if isinstance(column, models.ForeignKey):
        return converter(column.target_field, vendor)
    if isinstance(column, models.UUIDField):
        return (lambda value: None if value is None else value.hex) if plain else _text_or_none
    if isinstance(column, models.JSONField):
        return _json
    if isinstance(column, models.DateTimeField) and plain:
        return lambda value: None if value is None else str(value.replace(tzinfo=None))
    return lambda value: value


def cast(column: "models.Field[Any, Any]") -> str:
    """Return the type to cast a value of the column to on PostgreSQL."""
    kind = str(column.db_type(connection))
    return "varchar" if kind.startswith("varchar") else kind  # a cast to varchar(n) would cut in silence


def insert_rows(
    table: type[TenantModel], rows: Sequence[Mapping[str, Any]], *, known_stay: bool = False
) -> None:
    """Insert rows of the active tenant, given by the names of their attributes, else with the defaults.

    Moments are in UTC. Call it in the tenant's transaction. With ``known_stay`` a row that a unique
    constraint refuses is left out; else IntegrityError is raised.
    """
    columns: list[Any] = [one for one in table._meta.concrete_fields if not isinstance(one, models.AutoField)]
    for start in range(0, len(rows), AT_ONCE):
        part = rows[start : start + AT_ONCE]
        values = [_values(column, part) for column in columns]
        with connection.cursor() as cursor:
            if connection.vendor == "postgresql":
                cursor.execute(_from_arrays(table, columns, known_stay), values)
            else:
                told = zip(*values, strict=True)
                cursor.executemany(_from_values(table, columns, known_stay), list(told))


def _values(column: Any, rows: Sequence[Mapping[str, Any]]) -> list[Any]:
    if column.attname == "tenant_id":
        return [current_tenant_id()] * len(rows)
    name, convert = column.attname, converter(column, connection.vendor)
    if name not in rows[0]:
        return [convert(column.get_default()) for _ in rows]
    return [convert(row[name]) for row in rows]


def _from_arrays(table: type[TenantModel], columns: Sequence[Any], known_stay: bool) -> str:
    arrays = ", ".join(f"%s::{cast(column)}[]" for column in columns)
    end = "ON CONFLICT DO NOTHING" if known_stay else ""
    return f"INSERT INTO {_names(table, columns)} SELECT * FROM unnest({arrays}) {end}"  # noqa: S608  # names of our own


def _from_values(table: type[TenantModel], columns: Sequence[Any], known_stay: bool) -> str:
    places = ", ".join(["%s"] * len(columns))
    into = "INSERT OR IGNORE INTO" if known_stay else "INSERT INTO"
    return f"{into} {_names(table, columns)} VALUES ({places})"


def _names(table: type[TenantModel], columns: Sequence[Any]) -> str:
    names = ", ".join(f'"{column.column}"' for column in columns)
    return f'"{table._meta.db_table}" ({names})'


def _text_or_none(value: Any) -> str | None:
    return None if value is None else str(value)


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
