"""Which predictions a check looks at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from mlplatform.tenancy.scope import tenant_transaction
from registry.models import Deployment, ModelVersion, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.services.champions import champion_of
from registry.services.retention_kinds import WATCHED_DAYS

LOOK_BACK = timedelta(days=WATCHED_DAYS)


@dataclass(frozen=True)
class Window:
    """The champion and the stretch of time [start, end) in which its predictions are looked at."""

    version: ModelVersion
    start: datetime
    end: datetime


def check_window(model: RegisteredModel) -> Window | None:
    """Return the champion's last 7 days, in whole hours, or its time since it was deployed where shorter.

    So a new champion starts clean, and so does one that was rolled back to. None without a champion.
    """
    now = timezone.now()
    with tenant_transaction():
        version = champion_of(model)
        if version is None:
            return None
        deployed = (
            Deployment.objects.filter(model=model, alias=CHAMPION, version=version)
            .order_by("-created_at", "-pk")
            .values_list("created_at", flat=True)
            .first()
        )
    start = hour_of(now - LOOK_BACK)
    # The rows of one request are stamped a microsecond apart, so the last ones may lie a moment ahead.
    end = now + timedelta(microseconds=settings.MAX_PREDICTION_ROWS)
    return Window(version, max(start, deployed) if deployed else start, end)


def hour_of(moment: datetime) -> datetime:
    """Return the beginning of the moment's hour."""
    return moment.replace(minute=0, second=0, microsecond=0)
