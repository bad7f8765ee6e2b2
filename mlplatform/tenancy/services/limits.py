"""A tenant's limits: shown with what is used of them, and set by a platform administrator."""

import time
from collections.abc import Mapping
from dataclasses import dataclass

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.counters import counters
from mlplatform.tenancy.limits import KINDS, NAMES, STOCKS, LimitKind, limit_of
from mlplatform.tenancy.models import Tenant, Usage
from mlplatform.tenancy.scope import current_tenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.requests import MINUTE, REQUESTS
from mlplatform.tenancy.services.usage import measured

HIGHEST = 10**15


@dataclass(frozen=True)
class LimitUse:
    """One limit of the active tenant: how much it allows and how much is used; ``own`` where set for it."""

    kind: LimitKind
    limit: int
    used: int
    own: bool

    @property
    def share(self) -> float:
        """How much is used, from 0 to 1."""
        return min(1.0, self.used / self.limit)


def limits_in_use() -> list[LimitUse]:
    """Return every limit of the active tenant; of requests, those of its keys in the present minute."""
    tenant = current_tenant()
    with tenant_transaction():
        usage = Usage.objects.first()
        return [
            LimitUse(kind, limit_of(tenant, kind.name), _used(kind.name, usage), _is_own(tenant, kind))
            for kind in KINDS
        ]


def set_limits(*, tenant: Tenant, changes: Mapping[str, int | None], by: Actor) -> Tenant:
    """Give the tenant limits of its own, None for the setting's; what is not named stays.

    They hold at once. What is stored above a new limit stays, but nothing is added. Raises InvalidInput.
    """
    unknown = sorted(set(changes) - set(NAMES))
    if unknown:
        raise InvalidInput(f"Unknown limits: {', '.join(unknown)}. Known: {', '.join(NAMES)}.")
    wrong = {name: value for name, value in changes.items() if not _is_possible(value)}
    if wrong:
        message = f"Choose a whole number from 1 to {HIGHEST:,}."
        raise InvalidInput(message, fields={name: [message] for name in wrong})
    with tenant_scope(tenant), tenant_transaction():
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=tenant.pk)
        before = {name: getattr(tenant, name) for name in changes}
        for name, value in changes.items():
            setattr(tenant, name, value)
        tenant.save(update_fields=list(changes))
        record(by=by, action="tenant.limited", target=tenant, before=before, after=dict(changes))
    return tenant


def _used(name: str, usage: Usage | None) -> int:
    if name == REQUESTS:
        return counters().taken("keys", minute=int(time.time() // MINUTE))
    if name in STOCKS and usage is not None:
        return int(getattr(usage, name))
    return measured(name)


def _is_own(tenant: Tenant, kind: LimitKind) -> bool:
    return getattr(tenant, kind.name) is not None


def _is_possible(value: int | None) -> bool:
    return value is None or 1 <= value <= HIGHEST
