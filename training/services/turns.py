"""Whose job a free worker takes: tenants take turns, so that nobody's queue holds up another's.

Within a tenant the most urgent job comes first, of equals the oldest.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Case, Count, Max, Q, Value, When

from mlplatform.tenancy.limits import limit_of
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
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
    """A tenant's first waiting job; the smallest turn is the next: fewest running, longest since a start."""

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


def _turn() -> Turn | None:
    found = TrainingJob.objects.aggregate(
        running=Count("pk", filter=Q(state=JobState.RUNNING)),
        last_start=Max("started_at"),
    )
    waiting = TrainingJob.objects.filter(state=JobState.QUEUED).order_by(URGENCY, "pk")
    first = waiting.values_list("pk", flat=True).first()
    return None if first is None else Turn(found["running"], found["last_start"] or LONG_AGO, first)
