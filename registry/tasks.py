"""Background work of the registry: each task calls one service."""

from celery import shared_task
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from registry.models import ModelVersion, PromotionRequest, RegisteredModel
from registry.services import orphans, repeats, retention
from registry.services.letters import tell_approvers, untold_requests
from registry.services.requests import end_overdue, propose


@shared_task(name="registry.sweep_files")
def sweep_files() -> int:
    """Delete what killed work left in every tenant's storage; return how many files."""
    swept = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            swept += len(orphans.sweep_files(now=timezone.now(), by=SYSTEM).deleted)
    return swept


@shared_task(name="registry.sweep_answers")
def sweep_answers() -> int:
    """Delete every tenant's answers that need not be kept any longer; return how many."""
    swept = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            swept += repeats.sweep_answers(now=timezone.now())
    return swept


@shared_task(name="registry.tend_requests")
def tend_requests() -> int:
    """End what nobody decided in time and have approvers told of what is new; return how many of both."""
    tended = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            tended += len(end_overdue(by=SYSTEM))
            for request in untold_requests():
                tell_of_request.delay(request.pk, tenant_id=tenant.pk)
                tended += 1
    return tended


@shared_task(name="registry.tell_of_request", base=TenantTask)
def tell_of_request(request_id: int) -> None:
    """Write to the approvers of one request."""
    with tenant_transaction():
        rows = PromotionRequest.objects.select_related("model", "version__model")
        request = rows.get(pk=request_id)
    tell_approvers(request=request)


def submit_proposal(
    *, model: RegisteredModel, version: ModelVersion, by: Actor, comment: str = ""
) -> PromotionRequest:
    """Propose the version, and have a worker write to the approvers."""
    request = propose(model=model, version=version, by=by, comment=comment)
    tell_of_request.apply_async_on_commit(args=(request.pk,), kwargs={"tenant_id": request.tenant_id})
    return request


@shared_task(name="registry.apply_retention")
def apply_retention() -> int:
    """Have each tenant's things removed that are kept no longer; return how many tenants."""
    return send_for_tenants(apply_retention_of)


@shared_task(name="registry.apply_retention_of", base=TenantTask)
def apply_retention_of() -> int:
    """Remove what one tenant keeps no longer; return how many things."""
    return retention.apply_retention(now=timezone.now(), by=SYSTEM).total
