"""Background work of the registry: each task calls one service."""

from celery import shared_task
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.services import orphans


@shared_task(name="registry.sweep_files")
def sweep_files() -> int:
    """Delete what killed work left in every tenant's storage; return how many files."""
    swept = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            swept += len(orphans.sweep_files(now=timezone.now(), by=SYSTEM).deleted)
    return swept
