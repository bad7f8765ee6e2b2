"""Background work of the feedback app: each task calls one service."""

from celery import shared_task
from django.utils import timezone

from feedback.models import SubjectErasure
from feedback.services import erasures, joining
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from registry.models import RegisteredModel


@shared_task(name="feedback.carry_out_erasure", base=TenantTask)
def carry_out_erasure(erasure_id: int) -> None:
    """Erase what one request asks for."""
    with tenant_transaction():
        erasure = erasures.find_erasure(erasure_id)
    erasures.carry_out(erasure=erasure)


@shared_task(name="feedback.sweep_erasures")
def sweep_erasures() -> int:
    """Send the erasures again that nobody has finished; return how many."""
    return send_for_tenants(carry_out_erasure, lambda: erasures.unfinished(timezone.now()))


@shared_task(name="feedback.tend_held")
def tend_held() -> int:
    """Record every tenant's held outcomes whose predictions have come, and give up on old ones."""
    joined = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            joined += joining.join_held().joined
            joining.expire_held(now=timezone.now())
    return joined


def submit_erasure(*, key: str, model: RegisteredModel | None = None, by: Actor) -> SubjectErasure:
    """Note the request and have a worker carry it out; the message holds no key of a person."""
    with tenant_transaction():
        erasure = erasures.request_erasure(key=key, model=model, by=by)
        carry_out_erasure.apply_async_on_commit(args=(erasure.pk,), kwargs={"tenant_id": erasure.tenant_id})
    return erasure
