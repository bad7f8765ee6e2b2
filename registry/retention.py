"""How long the registry's own things are kept. Every app has such a module; it is found by its name."""

from math import ceil

from django.conf import settings
from django.db.models import Q

from registry.models import KeptAnswer, Prediction, RequestTally
from registry.models.request_tally import ALL_TIME
from registry.services import repeats
from registry.services.retention_kinds import KINDS, WATCHED_DAYS, Kind, Rule, aged_rows
from registry.services.retention_versions import (
    archive_versions,
    empty_datasets,
    survey_datasets,
    survey_versions,
)

KINDS.add(
    Kind(
        name="versions",
        title="Files of versions",
        purpose="Artefact and twin of versions that run no more. Their records, figures and history stay.",
        usual=lambda: Rule(settings.MODEL_RETENTION_DAYS, settings.MAX_MODEL_VERSIONS),
        survey=survey_versions,
        remove=archive_versions,
        counted=True,
    )
)
KINDS.add(
    Kind(
        name="datasets",
        title="Files of datasets",
        purpose="Rows of datasets on which no kept version was trained. Their schema, profile and hash stay.",
        usual=lambda: Rule(settings.DATASET_RETENTION_DAYS),
        survey=survey_datasets,
        remove=empty_datasets,
        of_models=False,
    )
)
KINDS.add(
    aged_rows(
        name="predictions",
        title="Log of predictions",
        purpose="Logged rows and answers, with the outcomes that came for them. Figures of checks stay.",
        table=Prediction,
        moment="created_at",
        usual=lambda: Rule(settings.PREDICTION_RETENTION_DAYS),
        least_days=WATCHED_DAYS,
    )
)
KINDS.add(
    aged_rows(
        name=repeats.KIND,
        title="Answers to repeat",
        purpose="What was answered under an Idempotency-Key, for whoever sends the same request again.",
        table=KeptAnswer,
        moment="created_at",
        usual=lambda: Rule(ceil(settings.IDEMPOTENCY_HOURS / 24)),
        model_field=None,
    )
)
KINDS.add(
    aged_rows(
        name="requests",
        title="Counts of requests",
        purpose="How many requests of each hour were answered, refused or failed. Sums of all time stay.",
        table=RequestTally,
        moment="begins",
        usual=lambda: Rule(None),
        only=~Q(begins=ALL_TIME),
        least_days=WATCHED_DAYS,
    )
)
