"""Writing the log of predictions at the pace of the server.

Requests of a tenant that arrive while rows are being written are written together, by the first of them, in
one transaction: none is answered before its rows are committed, and sixteen at once cost little more than
one. On PostgreSQL it is one round trip: naming the tenant to the policies, taking the room, and inserting.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec
import psycopg
from django.db import DatabaseError, IntegrityError, InterfaceError, connection, models

from mlplatform.errors import PlatformError
from mlplatform.lines import Line
from mlplatform.tenancy.rls import SETTING
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.usage import TAKE_ROWS, row_room, take_row_room
from registry.models import Prediction

LARGEST_BATCH = 500
# Each statement lets other threads of the process go first, while all who write wait for its transaction.
ROWS_IN_STATEMENT = 50
FAILURES = (DatabaseError, InterfaceError, PlatformError)
TABLE = Prediction._meta.db_table
COLUMNS: list[Any] = list(Prediction._meta.concrete_fields)
NAMES = ", ".join(f'"{column.column}"' for column in COLUMNS)

LoggedRow = dict[str, Any]
Converter = Callable[[Any], Any]

_lines: dict[int, Line[Sequence[LoggedRow], None]] = {}  # rows of two tenants never share a transaction


def store_rows(rows: Sequence[LoggedRow]) -> None:
    """Store rows of the active tenant, given by the names of their attributes, and return when they are.

    Raises NoRoom where the tenant may log no more, and DatabaseError; then none of them is stored.
    """
    tenant_id = current_tenant_id()
    line = _lines.get(tenant_id) or _lines.setdefault(tenant_id, new_line())
    line.ask(rows)


def new_line() -> Line[Sequence[LoggedRow], None]:
    """Return a line of requests of one tenant that wait to have their rows written."""
    return Line(_write_all, size=len, largest=LARGEST_BATCH, failures=FAILURES)


def _write_all(requests: Sequence[Sequence[LoggedRow]]) -> list[None]:
    insert_rows([row for rows in requests for row in rows])
    return [None] * len(requests)


def insert_rows(rows: Sequence[LoggedRow]) -> None:
    """Insert rows of the active tenant in one transaction; raises as ``store_rows`` does.

    Rows that are stored already stay as they are: where a connection was lost while it committed, whoever
    tries again cannot know.
    """
    try:
        _insert(rows)
    except IntegrityError:
        with tenant_transaction():
            stored = Prediction.objects.filter(pk__in=[row["id"] for row in rows])
            known = set(stored.values_list("pk", flat=True))
        missing = [row for row in rows if row["id"] not in known]
        if len(missing) == len(rows):
            raise
        if missing:
            _insert(missing)


def _insert(rows: Sequence[LoggedRow]) -> None:
    values = [_values(row) for row in rows]
    if connection.vendor == "postgresql" and not connection.in_atomic_block and _in_one_trip(values):
        return
    with tenant_transaction():
        take_row_room(len(values))
        with connection.cursor() as cursor:
            for start in range(0, len(values), ROWS_IN_STATEMENT):
                part = values[start : start + ROWS_IN_STATEMENT]
                cursor.execute(_insertion(len(part)), [value for row in part for value in row])


@lru_cache(maxsize=ROWS_IN_STATEMENT)
def _insertion(rows: int) -> str:
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    return f"INSERT INTO {TABLE} ({NAMES}) VALUES {', '.join([row] * rows)}"  # noqa: S608  # names of our own


def _in_one_trip(values: Sequence[tuple[Any, ...]]) -> bool:
    """Send everything as one message, which PostgreSQL runs as one transaction; False where there is no room.

    The tenant is told for this transaction alone. A connection that does not answer is closed, so that the
    next one who asks for it gets another.
    """
    connection.ensure_connection()
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    statement = _trip().replace("VALUES_HERE", ", ".join([row] * len(values)))
    parameters = [SETTING, str(current_tenant_id()), *row_room(len(values))]
    for value in values:
        parameters.extend(value)
    driver: Any = connection.connection
    with connection.wrap_database_errors:
        try:
            with psycopg.ClientCursor(driver) as cursor:
                cursor.execute(statement, parameters)
                while cursor.nextset():
                    pass
                inserted = cursor.rowcount
        except psycopg.Error:
            if driver.closed or driver.broken:
                connection.close()
            raise
    return inserted == len(values)


@lru_cache(maxsize=1)
def _trip() -> str:
    casts = ", ".join(f'given."{column.column}"::{_cast(column)}' for column in COLUMNS)
    return f"""
        SELECT set_config(%s, %s, true);
        WITH room AS ({TAKE_ROWS} RETURNING 1)
        INSERT INTO {TABLE} ({NAMES}) SELECT {casts} FROM (VALUES VALUES_HERE) AS given ({NAMES}), room
    """  # noqa: S608  # names of our own


def _cast(column: Any) -> str:
    kind = str(column.db_type(connection))
    return "varchar" if kind.startswith("varchar") else kind  # a cast to varchar(n) would cut in silence


def _values(row: LoggedRow) -> tuple[Any, ...]:
    given = {**row, "tenant_id": current_tenant_id()}
    return tuple(
        convert(given[name] if name in given else default())
        for name, convert, default in _converters(connection.vendor)
    )


@lru_cache(maxsize=2)
def _converters(vendor: str) -> list[tuple[str, Converter, Callable[[], Any]]]:
    """Return for each column its attribute, how its value is written, and its default."""
    return [(column.attname, _converter(column, vendor), column.get_default) for column in COLUMNS]


def _converter(column: Any, vendor: str) -> Converter:
    plain = vendor == "sqlite"
    if isinstance(column, models.UUIDField):
        return (lambda value: value.hex) if plain else str
    if isinstance(column, models.JSONField):
        return _json
    if isinstance(column, models.DateTimeField) and plain:
        return lambda value: None if value is None else str(value.replace(tzinfo=None))
    return lambda value: value


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()
