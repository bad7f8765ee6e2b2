"""Tells PostgreSQL the active tenant, at the moment a statement is sent.

The setting is made for one transaction only, so no pool can carry it on. It follows the scope by itself: a
scope within a scope, a savepoint that is rolled back, a hook after the commit and a query read late all see
the tenant that is active when they ask, and none where none is active.
"""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from mlplatform.tenancy.rls import SETTING
from mlplatform.tenancy.scope import active_tenant

Execute = Callable[[Any, Any, bool, dict[str, Any]], Any]
SAVEPOINTS = ("SAVEPOINT", "RELEASE SAVEPOINT", "ROLLBACK TO SAVEPOINT")


class TenantBinding:
    """Wraps every statement of one database connection."""

    def __init__(self, connection: BaseDatabaseWrapper) -> None:
        self._connection = connection
        self._told: str | None = None  # what the running transaction was told last; None where not known

    def __call__(self, execute: Execute, sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
        """Send the statement after telling the database for whom, where it does not know."""
        if isinstance(sql, str) and sql.startswith(SAVEPOINTS):
            self._told = None  # a rollback brings back an older setting
            return execute(sql, params, many, context)
        tenant = active_tenant()
        wanted = str(tenant.pk) if tenant else ""
        if self._connection.get_autocommit():
            return self._send_alone(wanted, execute, sql, params, many, context)
        self._tell(wanted)
        return execute(sql, params, many, context)

    def _send_alone(self, wanted: str, execute: Execute, *statement: Any) -> Any:
        """Send a statement outside any transaction: in one of its own, where it is for a tenant."""
        if not wanted:
            return execute(*statement)
        with transaction.atomic(using=self._connection.alias):
            self._tell(wanted)
            return execute(*statement)

    def _tell(self, wanted: str) -> None:
        driver: Any = self._connection.connection
        status = driver.info.transaction_status.name
        if status == "INERROR":
            return  # nothing but a rollback is possible
        begun = status == "INTRANS"
        if wanted != (self._told if begun else ""):
            with self._connection.wrap_database_errors:  # a cut connection is told as from any statement
                driver.execute("SELECT set_config(%s, %s, true)", [SETTING, wanted])
        self._told = wanted


def bind_connection(connection: BaseDatabaseWrapper, **kwargs: Any) -> None:
    """Bind a new connection to PostgreSQL; receives ``connection_created``."""
    if connection.vendor != "postgresql":
        return
    others = [known for known in connection.execute_wrappers if not isinstance(known, TenantBinding)]
    connection.execute_wrappers[:] = [TenantBinding(connection), *others]
