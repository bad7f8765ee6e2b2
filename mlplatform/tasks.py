"""Platform-wide background tasks."""

from typing import Any

from celery import shared_task
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured
from django.utils import timezone

from mlplatform.models import Heartbeat
from mlplatform.tenancy.guard import refuse_gaps


@shared_task(name="mlplatform.heartbeat")
def heartbeat() -> None:
    """Note that beat fired and a worker answered: the sign that schedules are alive."""
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": timezone.now()})


@worker_init.connect
@beat_init.connect
def refuse_to_start(**kwargs: Any) -> None:
    """End a worker or a scheduler whose database role could see past the tenants' wall."""
    try:
        refuse_gaps()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error  # Celery goes on after any other exception of a signal
