"""Writing many rows of a tenant's table at once, past the ORM, as the driver takes them."""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

import msgspec
from django.db import connection, models
from django.db.models.expressions import RawSQL

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.scope import current_tenant_id

Converter = Callable[[Any], Any]
Table = type[TenantModel]
Row = Mapping[str, Any]
AT_ONCE = 10_000
# Each statement lets other threads of the process go first, while all who write wait for its transaction; so
# there are few of them. SQLite takes 32,766 values in one.
ROWS_IN_STATEMENT = 250


def insert_rows(table: Table, rows: Sequence[Row]) -> None:
    """Insert rows of the active tenant, given by the names of their attributes.

    What a row does not say is the column's default, where that is a plain value. Moments are in UTC. Call it
    in the tenant's transaction. Raises DatabaseError.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            for start in range(0, len(rows), AT_ONCE):
                cursor.execute(insertion(table), [document(table, rows[start : start + AT_ONCE])])
        return
    connection.ensure_connection()
    driver: Any = connection.connection
    # Django would look for placeholders in thousands of characters of SQL, each time.
    with connection.wrap_database_errors:
        for start in range(0, len(rows), ROWS_IN_STATEMENT):
            part = rows[start : start + ROWS_IN_STATEMENT]
            by_column = [_values(table, column, part) for column in _columns(table)]
            values = list(chain.from_iterable(zip(*by_column, strict=True)))
            driver.execute(_of_values(table, len(part)), values)


@lru_cache(maxsize=8)
def insertion(table: Table) -> str:
    """Return PostgreSQL's statement for any number of rows, which come as one ``document``."""
    columns = _columns(table)
    typed = ", ".join(f'"{column.column}" {_type(column)}' for column in columns)
    given = ", ".join(f'given."{column.column}"' for column in columns)
    return f"INSERT INTO {_names(table)} SELECT {given} FROM json_to_recordset(%s) AS given ({typed})"  # noqa: S608  # names of our own


def document(table: Table, rows: Sequence[Row]) -> str:
    """Return the rows of the active tenant as the JSON that ``insertion`` takes."""
    standing = _standing(table) | {"tenant_id": current_tenant_id()}
    return msgspec.json.encode([{**standing, **row} for row in rows]).decode()


def among(table: Table, keys: Sequence[Any]) -> RawSQL:
    """Return many primary keys as one parameter, for ``pk__in``: the query stays as short as for one key."""
    kind = _type(table._meta.pk)
    if connection.vendor == "postgresql":
        return RawSQL(f"SELECT unnest(%s::{kind}[])", (list(keys),))  # noqa: S611  # a type of our own
    return RawSQL("SELECT value FROM json_each(%s)", (msgspec.json.encode(list(keys)).decode(),))


def _columns(table: Table) -> list[Any]:
    return [one for one in table._meta.concrete_fields if not isinstance(one, models.AutoField)]


def _names(table: Table) -> str:
    names = ", ".join(f'"{column.column}"' for column in _columns(table))
    return f'"{table._meta.db_table}" ({names})'


def _type(column: Any) -> str:
    kind = str(column.db_type(connection))
    return "varchar" if kind.startswith("varchar") else kind  # one with a length would cut in silence


@lru_cache(maxsize=8)
def _standing(table: Table) -> dict[str, Any]:
    """Return what a row need not say."""
    return {
        column.attname: column.get_default()
        for column in _columns(table)
        if not (column.has_default() and callable(column.default))
    }


@lru_cache(maxsize=512)
def _of_values(table: Table, rows: int) -> str:
    row = f"({', '.join('?' * len(_columns(table)))})"
    return f"INSERT INTO {_names(table)} VALUES {', '.join([row] * rows)}"  # noqa: S608  # names of our own


def _values(table: Table, column: Any, rows: Sequence[Row]) -> list[Any]:
    """Return one column's values as SQLite keeps them."""
    name = column.attname
    if name == "tenant_id":
        return [current_tenant_id()] * len(rows)
    standing = _standing(table)
    values = (
        [row.get(name, standing[name]) for row in rows] if name in standing else [row[name] for row in rows]
    )
    convert = _converter(column)
    return values if convert is None else [None if one is None else convert(one) for one in values]


def _converter(column: Any) -> Converter | None:
    if isinstance(column, models.ForeignKey):
        return _converter(column.target_field)
    if isinstance(column, models.UUIDField):
        return lambda value: value.hex
    if isinstance(column, models.JSONField):
        return lambda value: msgspec.json.encode(value).decode()
    if isinstance(column, models.DateTimeField):
        return lambda value: str(value.replace(tzinfo=None))
    return None
