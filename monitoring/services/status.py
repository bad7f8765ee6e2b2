"""The tenant's figures at a glance, and whether the background processes are alive."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mlplatform.heartbeats import BEAT, SILENT_AFTER
from mlplatform.models import Heartbeat
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.models import Alert
from monitoring.models.alert import UNRESOLVED
from registry.models import Alias, Dataset, ModelVersion, Prediction, RegisteredModel
from registry.models.deployment import CHAMPION
from training.models import JobState, TrainingJob


@dataclass(frozen=True)
class SystemStatus:
    """Beat's last sign of life, what waits and runs, and how much there is."""

    beat_at: datetime | None
    beat_alive: bool
    jobs_queued: int
    jobs_running: int
    counts: dict[str, int]


def system_status() -> SystemStatus:
    """Return the active tenant's figures."""
    now = timezone.now()
    with tenant_transaction():
        beat_at = Heartbeat.objects.filter(name=BEAT).values_list("at", flat=True).first()
        return SystemStatus(
            beat_at=beat_at,
            beat_alive=beat_at is not None and now - beat_at < SILENT_AFTER,
            jobs_queued=TrainingJob.objects.filter(state=JobState.QUEUED).count(),
            jobs_running=TrainingJob.objects.filter(state=JobState.RUNNING).count(),
            counts={
                "datasets": Dataset.objects.count(),
                "models": RegisteredModel.objects.count(),
                "versions": ModelVersion.objects.count(),
                "deployed_models": Alias.objects.filter(name=CHAMPION).count(),
                "predictions_24h": Prediction.objects.filter(created_at__gte=now - timedelta(days=1)).count(),
                "unresolved_alerts": Alert.objects.filter(state__in=UNRESOLVED).count(),
            },
        )
