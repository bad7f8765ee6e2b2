"""Writing the log of predictions at the pace of the server.

Requests of a tenant that arrive while rows are being written are written together, by the first of them, in
one transaction: none is answered before its rows are committed, and sixteen at once cost little more than
one. On PostgreSQL it is one round trip: naming the tenant to the policies, taking the room, and inserting.
"""

from collections.abc import Sequence
from typing import Any

from django.db import DatabaseError, IntegrityError, InterfaceError, connection

from mlplatform.errors import PlatformError
from mlplatform.lines import Line
from mlplatform.tenancy import raw_rows
from mlplatform.tenancy.rls import SETTING
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.usage import TAKE_ROWS, row_room, take_row_room
from registry.models import Prediction

LARGEST_BATCH = 500
FAILURES = (DatabaseError, InterfaceError, PlatformError)
ONE_TRIP = f"SELECT set_config(%s, %s, true); WITH room AS ({TAKE_ROWS} RETURNING 1) "

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
        raw_rows.insert_rows(Prediction, rows)


def _in_one_trip(rows: Sequence[LoggedRow]) -> bool:
    """Send everything as one message, which PostgreSQL runs as one transaction; False where there is no room.

    The tenant is told for this transaction alone. A connection that does not answer is closed, so that the
    next one who asks for it gets another.
    """
    import psycopg  # an extra: with SQLite it may not be installed

    connection.ensure_connection()
    driver: Any = connection.connection
    document = raw_rows.document(Prediction, rows)
    parameters = [SETTING, str(current_tenant_id()), *row_room(len(rows)), document]
    with connection.wrap_database_errors:
        try:
            with psycopg.ClientCursor(driver) as cursor:
                cursor.execute(f"{ONE_TRIP}{raw_rows.insertion(Prediction)}, room", parameters)
                while cursor.nextset():
                    pass
                inserted = cursor.rowcount
        except psycopg.Error:
            if driver.closed or driver.broken:
                connection.close()
            raise
    return inserted == len(rows)
