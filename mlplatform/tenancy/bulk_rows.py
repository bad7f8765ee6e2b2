"""Looking up and inserting tens of thousands of a tenant's rows with single parameters.

Beside ``raw_rows``, it tells what all rows share once, and can leave known rows be.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from django.db import connection, models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.scope import current_tenant_id

Converter = Callable[[Any], Any]
AT_ONCE = 10_000
# How a column's values are told to PostgreSQL as one text, which it takes apart far faster than the driver
# puts an array together.
BETWEEN, NOTHING = "\n", "\\N"


def converter(column: "models.Field[Any, Any]", vendor: str) -> Converter:
    """Return what turns an attribute's value into what the database's driver takes for the column."""
    plain = vendor == "sqlite"
    if isinstance(column, models.ForeignKey):
        return converter(column.target_field, vendor)
    if isinstance(column, models.UUIDField):
        return _hex_or_none
    if isinstance(column, models.JSONField):
        return _json
    if isinstance(column, models.DateTimeField) and plain:
        return lambda value: None if value is None else str(value.replace(tzinfo=None))
    return lambda value: value


def cast(column: "models.Field[Any, Any]") -> str:
    """Return the type to cast a value of the column to on PostgreSQL."""
    kind = str(column.db_type(connection))
    return "varchar" if kind.startswith("varchar") else kind  # a cast to varchar(n) would cut in silence


@models.Field.register_lookup
@models.ForeignObject.register_lookup
class Among(models.Lookup):
    """``column__among=values``: as ``in``, with a single parameter however many values there are."""

    lookup_name = "among"
    prepare_rhs = False

    def as_sql(self, compiler: Any, connection: Any) -> tuple[str, tuple[Any, ...]]:
        """Return the condition; PostgreSQL is given an array, for it knows how to look one up."""
        (lhs, parameters), column = self.process_lhs(compiler, connection), self.lhs.output_field
        convert = converter(column, connection.vendor)
        values = [convert(value) for value in self.rhs]
        if connection.vendor != "postgresql":
            told = msgspec.json.encode(values).decode()
            return f"{lhs} IN (SELECT value FROM json_each(%s))", (*parameters, told)  # noqa: S608  # a column's own name
        text = _joined(values) if values else None
        array = "%s" if text is None else _TAKEN_APART
        return f"{lhs} = ANY({array}::{cast(column)}[])", (*parameters, values if text is None else text)


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
                cursor.execute(*_from_texts(table, columns, values, known_stay))
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


def _from_texts(
    table: type[TenantModel], columns: Sequence[Any], values: Sequence[Sequence[Any]], known_stay: bool
) -> tuple[str, list[Any]]:
    """Return PostgreSQL's statement with its parameters; what all rows share is told once."""
    taken, arrays, shared, told = [], [], [], []
    for place, (column, column_values) in enumerate(zip(columns, values, strict=True)):
        kind = cast(column)
        if column_values.count(column_values[0]) == len(column_values):
            taken.append(f"%s::{kind}")
            shared.append(column_values[0])
            continue
        taken.append(f"c{place}")
        text = _joined(column_values)
        arrays.append((f"c{place}", f"%s::{kind}[]" if text is None else f"{_TAKEN_APART}::{kind}[]"))
        told.append(list(column_values) if text is None else text)
    names, sources = ", ".join(name for name, _ in arrays), ", ".join(source for _, source in arrays)
    given = f"unnest({sources}) AS given ({names})" if arrays else f"generate_series(1, {len(values[0])})"
    end = "ON CONFLICT DO NOTHING" if known_stay else ""
    sql = f"INSERT INTO {_names(table, columns)} SELECT {', '.join(taken)} FROM {given} {end}"  # noqa: S608  # names of our own
    return sql, [*shared, *told]


_TAKEN_APART = "string_to_array(%s, E'\\n', '\\N')"


def _joined(values: Sequence[Any]) -> str | None:
    """Return the values as one text, or None where one of them could not be told apart in it."""
    texts = [NOTHING if value is None else str(value) for value in values]
    text = BETWEEN.join(texts)
    clear = text.count(BETWEEN) == len(texts) - 1 and text.count(NOTHING) == values.count(None)
    return text if clear else None


def _from_values(table: type[TenantModel], columns: Sequence[Any], known_stay: bool) -> str:
    places = ", ".join(["%s"] * len(columns))
    into = "INSERT OR IGNORE INTO" if known_stay else "INSERT INTO"
    return f"{into} {_names(table, columns)} VALUES ({places})"


def _names(table: type[TenantModel], columns: Sequence[Any]) -> str:
    names = ", ".join(f'"{column.column}"' for column in columns)
    return f'"{table._meta.db_table}" ({names})'


def _hex_or_none(value: Any) -> str | None:
    return None if value is None else value.hex


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
