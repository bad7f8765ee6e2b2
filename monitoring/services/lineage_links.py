"""What leads to what: each kind of link as pairs of keys, read for many rows at once.

Predictions, outcomes and answers in shadow are no rows of their own here but counts: their key is that of
their version.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet

from monitoring.models import RetrainingDecision
from monitoring.models.alert import AlertMetric
from monitoring.models.policy import DecisionState
from monitoring.services.lineage_counts import (
    Begun,
    first_answers,
    first_outcomes,
    have_answered,
    have_outcomes,
)
from registry.models import Dataset, Deployment, ModelVersion, Rollout, ShadowAnswer
from training.models import BatchJob, JobState, TrainingJob
from training.models.job import ACTIVE_STATES

Keys = Collection[int]
Pairs = Iterable[tuple[int, int]]
LEARNT = Q(origin__kind="retraining") | Q(origin__source_kind="predictions")


class Kind(StrEnum):
    """What a node can be."""

    SOURCE = "source"
    DATASET = "dataset"
    JOB = "job"
    VERSION = "version"
    DEPLOYMENT = "deployment"
    PREDICTIONS = "predictions"
    OUTCOMES = "outcomes"
    DECISION = "decision"
    ROLLOUT = "rollout"
    SHADOW = "shadow"
    BATCH = "batch"

    @property
    def plural(self) -> str:
        """Several of them."""
        several = {self.BATCH: "batches", self.PREDICTIONS: self.value, self.OUTCOMES: self.value}
        return several.get(self, f"{self}s")


@dataclass(frozen=True)
class LineageLink:
    """``pairs`` gives the keys of (what leads, what follows) for some of one side, None meaning any."""

    leads: Kind
    follows: Kind
    pairs: Callable[[Keys | None, Keys | None], Pairs]


def _by(
    rows: Callable[[], QuerySet[Any]], leads: str, follows: str, *, downwards: Q | None = None
) -> Callable[[Keys | None, Keys | None], Pairs]:
    """Return a reader of pairs that stand in one table; ``downwards`` narrows what is found going down."""

    def pairs(upper: Keys | None, lower: Keys | None) -> Pairs:
        found = rows()
        if upper is not None:
            found = found.filter(downwards or Q(), **{f"{leads}__in": upper})
        if lower is not None:
            found = found.filter(**{f"{follows}__in": lower})
        return list(found.order_by().values_list(leads, follows).distinct())

    return pairs


def _in_shadow() -> QuerySet[ModelVersion]:
    return ModelVersion.objects.filter(Exists(ShadowAnswer.objects.filter(version=OuterRef("pk"))))


def _of_deployments() -> QuerySet[Deployment]:
    return Deployment.objects.filter(version__in=have_answered())


def _of_rollouts() -> QuerySet[Rollout]:
    return Rollout.objects.filter(challenger__in=have_answered())


def _of_no_deployment() -> QuerySet[ModelVersion]:
    return have_answered().filter(deployments=None, rollouts=None)


def _decisions() -> QuerySet[RetrainingDecision]:
    return RetrainingDecision.objects.exclude(state=DecisionState.DECLINED)


def _learnt(first: Callable[[Keys], Begun]) -> Callable[[Keys | None, Keys | None], Pairs]:
    """Return a reader of which data was made of the answered rows of which versions.

    A retraining takes all of a model's rows that are known by then, whichever version answered them.
    """

    def pairs(upper: Keys | None, lower: Keys | None) -> Pairs:
        data = Dataset.objects.filter(LEARNT).exclude(model=None)
        if upper is not None:
            of = ModelVersion.objects.filter(pk__in=upper).values("model")
            data = data.filter(model__in=of)
        if lower is not None:
            data = data.filter(pk__in=lower)
        made = list(data.values_list("pk", "model", "created_at"))
        since = list(first({model for _, model, _ in made}))
        return [
            (version, dataset)
            for dataset, model, at in made
            for version, of_model, begun in since
            if of_model == model and begun < at and (upper is None or version in upper)
        ]

    return pairs


BY_QUALITY = Q(alert__rule__metric=AlertMetric.PERFORMANCE)
ROLLED_BACK = Q(state=DecisionState.ROLLED_BACK, deployment__isnull=False)
SHOWN_JOBS = Q(state__in=[JobState.SUCCEEDED, *ACTIVE_STATES], reproduces=None)
LINKS = (
    LineageLink(
        Kind.SOURCE,
        Kind.DATASET,
        _by(lambda: Dataset.objects.filter(origin__kind="source"), "origin__source", "pk"),
    ),
    LineageLink(
        Kind.SOURCE,
        Kind.DATASET,
        _by(lambda: TrainingJob.objects.exclude(source=None), "source", "dataset", downwards=SHOWN_JOBS),
    ),
    LineageLink(
        Kind.DATASET, Kind.DATASET, _by(lambda: Dataset.objects.exclude(parent=None), "parent", "pk")
    ),
    LineageLink(Kind.DATASET, Kind.JOB, _by(TrainingJob.objects.all, "dataset", "pk", downwards=SHOWN_JOBS)),
    LineageLink(
        Kind.JOB, Kind.VERSION, _by(lambda: TrainingJob.objects.exclude(version=None), "pk", "version")
    ),
    LineageLink(
        Kind.DATASET, Kind.VERSION, _by(lambda: ModelVersion.objects.filter(job=None), "dataset", "pk")
    ),
    LineageLink(Kind.VERSION, Kind.DEPLOYMENT, _by(Deployment.objects.all, "version", "pk")),
    LineageLink(Kind.VERSION, Kind.PREDICTIONS, _by(_of_no_deployment, "pk", "id")),
    LineageLink(Kind.VERSION, Kind.ROLLOUT, _by(Rollout.objects.all, "challenger", "pk")),
    LineageLink(Kind.ROLLOUT, Kind.PREDICTIONS, _by(_of_rollouts, "pk", "challenger")),
    LineageLink(
        Kind.ROLLOUT,
        Kind.DEPLOYMENT,
        _by(lambda: Rollout.objects.exclude(deployment=None), "pk", "deployment"),
    ),
    LineageLink(Kind.VERSION, Kind.SHADOW, _by(_in_shadow, "pk", "id")),
    LineageLink(Kind.VERSION, Kind.BATCH, _by(BatchJob.objects.all, "version", "pk")),
    LineageLink(
        Kind.DATASET, Kind.BATCH, _by(lambda: BatchJob.objects.exclude(dataset=None), "dataset", "pk")
    ),
    LineageLink(Kind.SOURCE, Kind.BATCH, _by(lambda: BatchJob.objects.exclude(source=None), "source", "pk")),
    LineageLink(Kind.DEPLOYMENT, Kind.PREDICTIONS, _by(_of_deployments, "pk", "version")),
    LineageLink(Kind.PREDICTIONS, Kind.OUTCOMES, _by(have_outcomes, "pk", "id")),
    LineageLink(Kind.OUTCOMES, Kind.DATASET, _learnt(first_outcomes)),
    LineageLink(Kind.PREDICTIONS, Kind.DATASET, _learnt(first_answers)),
    LineageLink(
        Kind.OUTCOMES, Kind.DECISION, _by(lambda: _decisions().filter(BY_QUALITY), "alert__version", "pk")
    ),
    LineageLink(
        Kind.PREDICTIONS, Kind.DECISION, _by(lambda: _decisions().exclude(BY_QUALITY), "alert__version", "pk")
    ),
    LineageLink(
        Kind.PREDICTIONS,
        Kind.DECISION,
        _by(lambda: _decisions().filter(alert=None).exclude(champion=None), "champion", "pk"),
    ),
    LineageLink(
        Kind.DECISION, Kind.DEPLOYMENT, _by(lambda: _decisions().filter(ROLLED_BACK), "pk", "deployment")
    ),
    LineageLink(Kind.DECISION, Kind.JOB, _by(lambda: _decisions().exclude(job=None), "pk", "job")),
)
