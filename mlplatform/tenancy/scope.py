"""For whom the running code works: which tenant, and which of its models it may see.

Closed by default: where no tenant is active, asking for one raises. Absent never means "everything".
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Sight:
    """Which of the tenant's models, by name, are there for whoever asks: ``only`` these, none of ``hidden``.

    Every row that belongs to another model is out of sight with it, as if it did not exist.
    """

    only: frozenset[str] | None = None
    hidden: frozenset[str] = frozenset()

    def sees(self, model_name: str) -> bool:
        """Tell whether the model of this name is in sight."""
        return model_name not in self.hidden and (self.only is None or model_name in self.only)


WHOLE_TENANT = Sight()


@dataclass(frozen=True)
class _Scope:
    tenant: "Tenant"
    sight: Sight


_active: ContextVar["_Scope | None"] = ContextVar("active_scope", default=None)


def active_tenant() -> "Tenant | None":
    """Return the active tenant, or None."""
    scope = _active.get()
    return scope.tenant if scope else None


def active_sight() -> Sight:
    """Return which models may be seen; the platform's own work sees the whole tenant."""
    scope = _active.get()
    return scope.sight if scope else WHOLE_TENANT


def current_tenant() -> "Tenant":
    """Return the active tenant; raises NoActiveTenant where there is none."""
    tenant = active_tenant()
    if tenant is None:
        raise NoActiveTenant
    return tenant


def current_tenant_id() -> int:
    """Return the active tenant's primary key; raises NoActiveTenant where there is none."""
    return current_tenant().pk


@contextmanager
def tenant_scope(tenant: "Tenant", sight: Sight = WHOLE_TENANT) -> Iterator["Tenant"]:
    """Work for ``tenant`` inside the block; the outer scope, if any, is restored afterwards."""
    token = _active.set(_Scope(tenant, sight))
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
