"""Writing the log of predictions at the pace of the server.

Requests of a tenant that arrive while rows are being written are written together, by the first of them, in
one transaction: none is answered before its rows are committed, and sixteen at once cost little more than
one. On PostgreSQL it is one round trip: naming the tenant to the policies, taking the room, and inserting.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec
import psycopg
from django.db import DatabaseError, InterfaceError, connection, models

from mlplatform.errors import PlatformError
from mlplatform.tenancy.rls import SETTING
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.usage import TAKE_ROWS, row_room, take_row_room
from registry.models import Prediction

LARGEST_BATCH = 500
FAILURES = (DatabaseError, InterfaceError, PlatformError)
TABLE = Prediction._meta.db_table
COLUMNS: list[Any] = list(Prediction._meta.concrete_fields)
NAMES = ", ".join(f'"{column.column}"' for column in COLUMNS)

LoggedRow = dict[str, Any]
Converter = Callable[[Any], Any]


class NotWritten(Exception):
    """The rows were not written, and nothing says why: a bug in whoever wrote them."""


@dataclass
class _Waiting:
    """One request's rows, and the door that opens when they are written, or are its own to write."""

    rows: Sequence[LoggedRow]
    door: threading.Lock = field(default_factory=threading.Lock)
    done: bool = False
    error: Exception | None = field(default_factory=NotWritten)


class _Line:
    """The requests of one tenant that wait to have their rows written; the first one writes for all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[_Waiting] = []
        self._busy = False

    def write(self, rows: Sequence[LoggedRow]) -> None:
        """Return when the rows are committed; raises what kept these rows from being so."""
        mine = _Waiting(rows)
        mine.door.acquire()
        with self._lock:
            self._waiting.append(mine)
            must_wait, self._busy = self._busy, True
        if must_wait:
            mine.door.acquire()
        if not mine.done:
            self._write_for_all()
        if mine.error is not None:
            raise mine.error

    def _write_for_all(self) -> None:
        with self._lock:
            batch = self._next_batch()
        try:
            _write_batch(batch)
        finally:
            with self._lock:
                following = self._waiting[:1]
                self._busy = bool(following)
            for one in batch:
                one.done = True
            for one in [*batch, *following]:
                one.door.release()

    def _next_batch(self) -> list[_Waiting]:
        """Take as many as fit, in their order, and always the first."""
        taken, rows = 1, len(self._waiting[0].rows)
        while taken < len(self._waiting) and rows + len(self._waiting[taken].rows) <= LARGEST_BATCH:
            rows += len(self._waiting[taken].rows)
            taken += 1
        batch, self._waiting = self._waiting[:taken], self._waiting[taken:]
        return batch


_lines: dict[int, _Line] = {}  # by tenant: rows of two tenants never share a transaction


def store_rows(rows: Sequence[LoggedRow]) -> None:
    """Store rows of the active tenant, given by the names of their attributes, and return when they are.

    Raises NoRoom where the tenant may log no more, and DatabaseError; then none of them is stored.
    """
    _lines.setdefault(current_tenant_id(), _Line()).write(rows)


def _write_batch(batch: Sequence[_Waiting]) -> None:
    """Write all at once, or where that fails each request's rows by themselves."""
    try:
        insert_rows([row for one in batch for row in one.rows])
    except FAILURES as error:
        if len(batch) == 1:
            batch[0].error = error
            return
        for one in batch:
            _write_batch([one])
    else:
        for one in batch:
            one.error = None


def insert_rows(rows: Sequence[LoggedRow]) -> None:
    """Insert rows of the active tenant in one transaction; raises as ``store_rows`` does."""
    values = [_values(row) for row in rows]
    if connection.vendor == "postgresql" and not connection.in_atomic_block and _in_one_trip(values):
        return
    with tenant_transaction():
        take_row_room(len(values))
        with connection.cursor() as cursor:
            marks = ", ".join(["%s"] * len(COLUMNS))
            cursor.executemany(f"INSERT INTO {TABLE} ({NAMES}) VALUES ({marks})", values)  # noqa: S608  # names of our own


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
