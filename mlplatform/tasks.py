"""Platform-wide background tasks."""

from celery import shared_task
from django.utils import timezone

from mlplatform.models import Heartbeat


@shared_task(name="mlplatform.heartbeat")
def heartbeat() -> None:
    """Note that beat fired and a worker answered: the sign that schedules are alive."""
    Heartbeat.objects.update_or_create(name="beat", defaults={"at": timezone.now()})
