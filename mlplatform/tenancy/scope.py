"""Which tenant the running code works for.

Closed by default: where no tenant is active, asking for one raises. Absent never means "everything".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import connection, transaction

if TYPE_CHECKING:
    from mlplatform.tenancy.models import Tenant


class NoActiveTenant(RuntimeError):
    """Tenant-owned rows were touched where no tenant is active: a bug in the caller, not a user's error."""

    def __init__(self) -> None:
        super().__init__(
            "No tenant is active. Enter tenant_scope(tenant), or use the all_tenants manager on purpose."
        )


_active: ContextVar["Tenant | None"] = ContextVar("active_tenant", default=None)


def active_tenant() -> "Tenant | None":
    """Return the active tenant, or None."""
    return _active.get()


def current_tenant() -> "Tenant":
    """Return the active tenant; raises NoActiveTenant where there is none."""
    tenant = _active.get()
    if tenant is None:
        raise NoActiveTenant
    return tenant


def current_tenant_id() -> int:
    """Return the active tenant's primary key; raises NoActiveTenant where there is none."""
    return current_tenant().pk


@contextmanager
def tenant_scope(tenant: "Tenant") -> Iterator["Tenant"]:
    """Work for ``tenant`` inside the block; the outer tenant, if any, is restored afterwards."""
    token = _active.set(tenant)
    try:
        yield tenant
    finally:
        _active.reset(token)


@contextmanager
def tenant_transaction() -> Iterator[None]:
    """Open a transaction in which the database, too, knows the active tenant.

    On PostgreSQL the setting ``app.tenant_id`` is made for this transaction only, so it survives no pool.
    Long work holds ``tenant_scope`` throughout and opens these short transactions to read and to write.
    """
    tenant_id = current_tenant_id()
    with transaction.atomic():
        outer = _database_tenant(str(tenant_id))
        try:
            yield
        finally:
            # Releasing a savepoint keeps the inner setting, so a nested block puts the old one back.
            if outer and not connection.needs_rollback:
                _database_tenant(outer)


def _database_tenant(tenant_id: str) -> str:
    """Set the tenant in the running PostgreSQL transaction and return the one set before."""
    if connection.vendor != "postgresql":
        return ""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.tenant_id', true)")
        before: str | None = cursor.fetchone()[0]
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", [tenant_id])
    return before or ""
