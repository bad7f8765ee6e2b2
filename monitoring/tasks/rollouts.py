"""Rollouts that are under way."""

from celery import shared_task
from django.core.cache import cache

from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.receivers import waiting_key
from monitoring.services.rollouts import tend
from registry.models import Rollout
from registry.models.rollout import ACTIVE_ROLLOUTS


@shared_task(name="monitoring.tend_rollouts")
def tend_rollouts() -> int:
    """Have every rollout that is under way weighed; return how many. The net under lost messages."""
    return send_for_tenants(
        tend_rollout,
        lambda: Rollout.objects.filter(state__in=ACTIVE_ROLLOUTS).values_list("pk", flat=True),
    )


@shared_task(name="monitoring.tend_rollout", base=TenantTask)
def tend_rollout(rollout_id: int) -> None:
    """Weigh one rollout, and do what follows."""
    cache.delete(waiting_key(rollout_id))  # before anything is read: what comes in now is weighed anew
    with tenant_transaction():
        rollout = Rollout.objects.get(pk=rollout_id)
    tend(rollout=rollout)
