"""On PostgreSQL the tests work as the application's role, in a database that the owner has migrated.

Both are made by the statements that ``manage.py setup_postgres`` applies. The connection's own role, which
must be a superuser, is given up as soon as a connection to a test database stands.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.base.base import NO_DB_ALIAS, BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from mlplatform.tenancy.roles import Roles, privilege_statements, role_statements

PREFIX = "mlplatform_test"
ROLES = Roles.named(PREFIX)
PLAIN_TRUNCATE = re.compile(r'TRUNCATE "\w+"(, "\w+")*;')  # as Django writes it where sequences go on
QUOTED = re.compile(r'"(\w+)"')


class RoleSwitch:
    """Takes the owner's role in each new connection until ``serve`` is called, then the application's."""

    def __init__(self) -> None:
        self._role = ROLES.owner

    def prepare(self) -> None:
        """Have the role taken from now on; the rights in the database are set with the first connection."""
        if connection.vendor == "postgresql":
            connection_created.connect(self._take_role, dispatch_uid="role of the tests")

    def serve(self) -> None:
        """Work as the application from now on."""
        self._role = ROLES.application
        connection.close()

    def _take_role(self, connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
        if connection.alias == NO_DB_ALIAS:  # creates and drops the database
            return
        driver: Any = connection.connection
        if self._role == ROLES.owner:
            for statement in (*role_statements(ROLES), *privilege_statements(ROLES)):
                driver.execute(statement)
        elif emptied_row_by_row not in connection.execute_wrappers:
            connection.execute_wrappers.append(emptied_row_by_row)
        driver.execute(f"SET ROLE {self._role}")


@contextmanager
def whole_database() -> Iterator[None]:
    """Let a test look at, or prepare, what no role of the platform may: every tenant's rows."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE NONE")
        try:
            yield
        finally:
            cursor.execute(f"SET ROLE {ROLES.application}")


@contextmanager
def as_owner() -> Iterator[None]:
    """Work as the tables' owner, as the operators' commands do that the application may not run."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE {ROLES.owner}")
        try:
            yield
        finally:
            cursor.execute(f"SET ROLE {ROLES.application}")


@contextmanager
def unlocked_history() -> Iterator[None]:
    """Let the block change what PostgreSQL keeps from everybody, as only its superuser can."""
    if connection.vendor != "postgresql":
        yield
        return
    with connection.cursor() as cursor:
        cursor.execute(f"SET ROLE NONE; SET session_replication_role = replica; SET ROLE {ROLES.application}")
        try:
            yield
        finally:
            cursor.execute(
                f"SET ROLE NONE; SET session_replication_role = origin; SET ROLE {ROLES.application}"
            )


def emptied_row_by_row(execute: Any, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    """Empty the tables between tests, which the application may not, and which hardly ever hold many rows.

    Django's TRUNCATE makes the files of a hundred tables and of their indexes anew, which takes a second;
    deleting the few rows of the few tables that have any takes a moment.
    """
    if not PLAIN_TRUNCATE.fullmatch(str(sql)):
        return execute(sql, params, many, context)
    driver = context["connection"].connection
    tables = QUOTED.findall(str(sql))
    driver.execute("SET ROLE NONE")  # sees every row, whatever the policies say
    try:
        # All tables are emptied together: no foreign key, and no trigger that forbids it, has a say.
        driver.execute("SET session_replication_role = replica")
        holds = "SELECT '{0}' WHERE EXISTS (SELECT FROM \"{0}\")"
        asked = " UNION ALL ".join(holds.format(name) for name in tables)
        for (name,) in driver.execute(asked).fetchall():
            driver.execute(f'DELETE FROM "{name}"')  # noqa: S608  # a table's own name
        driver.execute("SET session_replication_role = origin")
    finally:
        driver.execute(f"SET ROLE {ROLES.application}")
