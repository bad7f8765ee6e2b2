"""Writing the log of predictions at the pace of the server.

Requests of a tenant that arrive while rows are being written are written together, by the first of them, in
one transaction: none is answered before its rows are committed, and sixteen at once cost little more than
one. On PostgreSQL it is one round trip: naming the tenant to the policies, taking the room, and inserting.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
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
IN_ORDER = itemgetter(*[column.attname for column in COLUMNS])
ONE_TRIP = f"SELECT set_config(%s, %s, true); WITH room AS ({TAKE_ROWS} RETURNING 1) "
# What a row need not say.
STANDING = {
    column.attname: column.get_default()
    for column in COLUMNS
    if not (column.has_default() and callable(column.default))
}

LoggedRow = dict[str, Any]

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
    if connection.vendor == "postgresql" and not connection.in_atomic_block and _in_one_trip(rows):
        return
    with tenant_transaction():
        take_row_room(len(rows))
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(_from_json(), [_as_json(rows)])
        else:
            _insert_values(rows)


def _in_one_trip(rows: Sequence[LoggedRow]) -> bool:
    """Send everything as one message, which PostgreSQL runs as one transaction; False where there is no room.

    The tenant is told for this transaction alone. A connection that does not answer is closed, so that the
    next one who asks for it gets another.
    """
    connection.ensure_connection()
    driver: Any = connection.connection
    parameters = [SETTING, str(current_tenant_id()), *row_room(len(rows)), _as_json(rows)]
    with connection.wrap_database_errors:
        try:
            with psycopg.ClientCursor(driver) as cursor:
                cursor.execute(ONE_TRIP + f"{_from_json()}, room", parameters)
                while cursor.nextset():
                    pass
                inserted = cursor.rowcount
        except psycopg.Error:
            if driver.closed or driver.broken:
                connection.close()
            raise
    return inserted == len(rows)


@lru_cache(maxsize=1)
def _from_json() -> str:
    """Return PostgreSQL's statement for any number of rows, which come as one JSON document."""
    typed = ", ".join(f'"{column.column}" {_type(column)}' for column in COLUMNS)
    given = ", ".join(f'given."{column.column}"' for column in COLUMNS)
    return f"INSERT INTO {TABLE} ({NAMES}) SELECT {given} FROM json_to_recordset(%s) AS given ({typed})"  # noqa: S608  # names of our own


def _type(column: Any) -> str:
    kind = str(column.db_type(connection))
    return "varchar" if kind.startswith("varchar") else kind  # one with a length would cut in silence


def _as_json(rows: Sequence[LoggedRow]) -> str:
    standing = {**STANDING, "tenant_id": current_tenant_id()}
    return msgspec.json.encode([{**standing, **row} for row in rows]).decode()


def _insert_values(rows: Sequence[LoggedRow]) -> None:
    standing = {**STANDING, "tenant_id": current_tenant_id()}
    values = [_values({**standing, **row}) for row in rows]
    with connection.cursor() as cursor:
        for start in range(0, len(values), ROWS_IN_STATEMENT):
            part = values[start : start + ROWS_IN_STATEMENT]
            cursor.execute(_insertion(len(part)), [value for row in part for value in row])


@lru_cache(maxsize=ROWS_IN_STATEMENT)
def _insertion(rows: int) -> str:
    row = f"({', '.join(['%s'] * len(COLUMNS))})"
    return f"INSERT INTO {TABLE} ({NAMES}) VALUES {', '.join([row] * rows)}"  # noqa: S608  # names of our own


def _values(row: LoggedRow) -> list[Any]:
    """Return the row's values in the order of the columns, as SQLite keeps them."""
    values = list(IN_ORDER(row))
    for place, converted in CONVERTED:
        if values[place] is not None:
            values[place] = converted(values[place])
    return values


def _converter(column: Any) -> Callable[[Any], Any] | None:
    if isinstance(column, models.UUIDField):
        return lambda value: value.hex
    if isinstance(column, models.JSONField):
        return lambda value: msgspec.json.encode(value).decode()
    if isinstance(column, models.DateTimeField):
        return lambda value: str(value.replace(tzinfo=None))
    return None


CONVERTED = [(place, found) for place, column in enumerate(COLUMNS) if (found := _converter(column))]
