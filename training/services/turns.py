"""Whose job a free worker takes: tenants take turns, so that nobody's queue holds up another's.

Within a tenant the most urgent job comes first, of equals the oldest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Case, Max, Value, When

from mlplatform.tenancy.limits import limit_of
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.usage import measured
from training.models import JobState, TrainingJob
from training.models.job import Priority

URGENCY = Case(
    *(
        When(priority=priority, then=Value(place))
        for place, priority in enumerate((Priority.HIGH, Priority.NORMAL, Priority.LOW))
    ),
    default=Value(len(Priority)),
)
LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, order=True)
class Turn:
    """A tenant's first waiting job; the smallest turn is the next: fewest running, longest since a start.

    Helpers with a search count as running.
    """

    running: int
    last_start: datetime
    job_id: int


def next_turn() -> tuple[Tenant, int] | None:
    """Return the tenant whose turn it is and its first waiting job; None where no tenant may run one now."""
    turns = []
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant), tenant_transaction():
            turn = _turn()
        if turn is not None and turn.running < limit_of(tenant, "running_jobs"):
            turns.append((turn, tenant))
    if not turns:
        return None
    turn, tenant = min(turns, key=lambda pair: pair[0])
    return tenant, turn.job_id


def somebody_waits(*, beside: Tenant) -> bool:
    """Tell whether a job waits for a worker that helps with a search of ``beside``: jobs come first.

    A job of another tenant waits where that tenant may run one; one of ``beside`` where the helper's own
    place would let it.
    """
    with tenant_scope(beside), tenant_transaction():
        own = _turn()
    if own is not None and own.running - 1 < limit_of(beside, "running_jobs"):
        return True
    return next_turn() is not None


def _turn() -> Turn | None:
    last_start = TrainingJob.objects.aggregate(last=Max("started_at"))["last"]
    waiting = TrainingJob.objects.filter(state=JobState.QUEUED).order_by(URGENCY, "pk")
    first = waiting.values_list("pk", flat=True).first()
    return None if first is None else Turn(measured("running_jobs"), last_start or LONG_AGO, first)
