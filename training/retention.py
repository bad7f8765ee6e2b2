"""How long jobs are kept, and what of versions and datasets training still needs."""

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from registry.services.retention_kinds import KINDS, Rule, aged_rows
from registry.services.retention_versions import DATASET_KEEPERS, VERSION_KEEPERS, Keeper
from training.models import BatchJob, DataSource, JobState, TrainingJob
from training.models.job import ACTIVE_STATES

UNFRUITFUL = Q(state__in=(JobState.FAILED, JobState.ERRORED, JobState.CANCELLED), version=None)

VERSION_KEEPERS.extend(
    [
        Keeper(
            "A job that waits or runs builds it again.",
            lambda *_: Exists(TrainingJob.objects.filter(reproduces=OuterRef("pk"), state__in=ACTIVE_STATES)),
        ),
        Keeper(
            "A batch that waits or runs is answered by it.",
            lambda *_: Exists(BatchJob.objects.filter(version=OuterRef("pk"), state__in=ACTIVE_STATES)),
        ),
    ]
)
DATASET_KEEPERS.extend(
    [
        Keeper(
            "A job that waits or runs learns from it.",
            lambda *_: Exists(TrainingJob.objects.filter(dataset=OuterRef("pk"), state__in=ACTIVE_STATES)),
        ),
        Keeper(
            "A batch that waits or runs answers its rows.",
            lambda *_: Exists(BatchJob.objects.filter(dataset=OuterRef("pk"), state__in=ACTIVE_STATES)),
        ),
        Keeper(
            "It is the last snapshot of a data source.",
            lambda *_: Exists(DataSource.objects.filter(last_snapshot=OuterRef("pk"))),
        ),
    ]
)
KINDS.add(
    aged_rows(
        name="jobs",
        title="Jobs without a version",
        purpose="Failed, errored and cancelled jobs, with trials and log. Jobs that made a version stay.",
        table=TrainingJob,
        moment="finished_at",
        only=UNFRUITFUL,
        usual=lambda: Rule(settings.JOB_RETENTION_DAYS),
    )
)
