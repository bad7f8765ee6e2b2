"""Signs of life of the background processes: the scheduler's by way of a worker, and each worker's own."""

from datetime import datetime, timedelta

from django.utils import timezone

from mlplatform.models import Heartbeat

BEAT = "beat"
WORKER = "worker:"
WORKER_SECONDS = 30.0
SILENT_AFTER = timedelta(seconds=120)  # four signs
FORGOTTEN_AFTER = timedelta(days=1)  # a worker that was taken away for good


def sign_of_life(name: str) -> None:
    """Note that the process of this name works."""
    Heartbeat.objects.update_or_create(name=name[:50], defaults={"at": timezone.now()})


def fall_silent(name: str) -> None:
    """Note that the process of this name has ended as it should."""
    Heartbeat.objects.filter(name=name[:50]).delete()


def heard(now: datetime) -> dict[str, datetime]:
    """Return when each process was last heard of; workers that are long gone are forgotten."""
    Heartbeat.objects.filter(name__startswith=WORKER, at__lt=now - FORGOTTEN_AFTER).delete()
    return dict(Heartbeat.objects.order_by("name").values_list("name", "at"))
