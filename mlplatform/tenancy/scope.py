"""Which tenant the running code works for.

Closed by default: where no tenant is active, asking for one raises. Absent never means "everything".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING

from django.db import transaction

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
    """Open a transaction for the active tenant; raises NoActiveTenant where there is none.

    On PostgreSQL ``binding.py`` tells it the tenant. Long work holds ``tenant_scope`` throughout and opens
    these short transactions to read and to write.
    """
    current_tenant_id()
    with transaction.atomic():
        yield
