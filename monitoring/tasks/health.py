"""How models and the parts of the installation are, every few minutes."""

from celery import shared_task
from django.utils import timezone

from mlplatform.tenancy.tasks import TenantTask, send_for_tenants
from monitoring.services.model_health import look_at_models
from monitoring.services.system_health import look_at_system


@shared_task(name="monitoring.record_health")
def record_health() -> int:
    """Write down how each part of the installation is, and have every tenant's models looked at."""
    look_at_system(timezone.now())
    return send_for_tenants(record_model_health)


@shared_task(name="monitoring.record_model_health", base=TenantTask)
def record_model_health() -> None:
    """Write down how one tenant's models are."""
    look_at_models(timezone.now())
