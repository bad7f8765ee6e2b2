"""Whose part a free worker does: tenants take turns, as with training jobs; of a tenant the oldest first."""

from django.db.models import Max

from mlplatform.tenancy.limits import limit_of
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.usage import measured
from training.models import BatchPart
from training.models.batch import PartState
from training.models.job import ACTIVE_STATES
from training.services.batch_claims import PartClaim, claim_part
from training.services.turns import LONG_AGO, Turn


def claim_next_part() -> tuple[Tenant, PartClaim] | None:
    """Take the next part of the tenant whose turn it is; None where no tenant may have one done now."""
    while turn := _next_turn():
        tenant, part_id = turn
        with tenant_scope(tenant):
            if (taken := claim_part(part_id=part_id)) is not None:
                return tenant, taken
    return None


def claim_own_part() -> PartClaim | None:
    """Take the active tenant's next part; None where there is none, or it is at its limit."""
    while True:
        with tenant_transaction():
            turn = _turn()
        if turn is None:
            return None
        if (taken := claim_part(part_id=turn.job_id)) is not None:
            return taken


def waiting_parts() -> int:
    """Return how many parts of the active tenant could be done now."""
    with tenant_transaction():
        return BatchPart.objects.filter(state=PartState.WAITING, job__state__in=ACTIVE_STATES).count()


def _next_turn() -> tuple[Tenant, int] | None:
    turns = []
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant), tenant_transaction():
            turn = _turn()
        if turn is not None:
            turns.append((turn, tenant))
    if not turns:
        return None
    turn, tenant = min(turns, key=lambda pair: pair[0])
    return tenant, turn.job_id


def _turn() -> Turn | None:
    """Return the active tenant's next turn, None where nothing waits or the tenant is at its limit."""
    waiting = BatchPart.objects.filter(state=PartState.WAITING, job__state__in=ACTIVE_STATES)
    first = waiting.order_by("job_id", "number").values_list("pk", flat=True).first()
    if first is None:
        return None
    running = measured("running_jobs")
    if running >= limit_of(current_tenant(), "running_jobs"):
        return None
    last_start = BatchPart.objects.aggregate(last=Max("started_at"))["last"]
    return Turn(running, last_start or LONG_AGO, first)
