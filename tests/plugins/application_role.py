"""On PostgreSQL the tests work as the application's role, in a database that the owner has migrated.

Both are made by the statements that ``manage.py setup_postgres`` applies. The connection's own role, which
must be a superuser, is given up as soon as a connection to a test database stands.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.backends.base.base import NO_DB_ALIAS, BaseDatabaseWrapper
from django.db.backends.signals import connection_created

from mlplatform.tenancy.roles import Roles, privilege_statements, role_statements

PREFIX = "mlplatform_test"
ROLES = Roles.named(PREFIX)


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
