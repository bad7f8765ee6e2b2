"""Training once more: what ended, what is like another job, and what was trained before."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import Dataset, RegisteredModel
from training.errors import JobActive
from training.models import TrainingJob
from training.models.job import Priority, Trigger
from training.services.datasets import retraining_dataset
from training.services.jobs import create_job, newest_config


@dataclass(frozen=True)
class Changes:
    """What is to differ from the job that is cloned: all that is None, or left out of ``config``, stays."""

    dataset: Dataset | None = None
    priority: str | None = None
    config: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Retraining:
    """What came of the wish to retrain a model: its job, or why there is none."""

    model: RegisteredModel
    job: TrainingJob | None = None
    reason: str = ""


def retry_job(*, job: TrainingJob, by: Actor) -> TrainingJob:
    """Queue a job with the data, or source, and settings of one that ended; send it with ``submit_retry``.

    Raises JobActive where that one still waits or runs, and what ``create_job`` raises.
    """
    if job.is_active:
        raise JobActive(f"Job {job.pk} has not ended yet. Wait for it, or cancel it first.")
    return create_job(
        model=job.model,
        dataset=None if job.source else job.dataset,
        source=job.source,
        on_source_failure=job.on_source_failure,
        config=job.config,
        priority=job.priority,
        by=by,
        note=f"The same as job {job.pk}, once more.",
        trigger=Trigger.MANUAL if job.reproduces is None else job.trigger,
        reproduces=job.reproduces,
    )


def clone_job(*, job: TrainingJob, changes: Changes, by: Actor) -> TrainingJob:
    """Queue a job like another one, with changes; send it with ``tasks.submit_clone``.

    Raises what ``create_job`` raises.
    """
    source = None if changes.dataset else job.source
    return create_job(
        model=job.model,
        dataset=None if source else changes.dataset or job.dataset,
        source=source,
        on_source_failure=job.on_source_failure,
        config={**job.config, **changes.config},
        priority=changes.priority or job.priority,
        by=by,
        note=f"Like job {job.pk}, with changes.",
    )


def retrain(
    *,
    model: RegisteredModel,
    by: Actor,
    priority: str = Priority.NORMAL,
    trigger: str = Trigger.MANUAL,
) -> TrainingJob:
    """Queue a training on the newest version's data and what was learnt since, with the settings used last.

    Raises what ``retraining_dataset`` and ``create_job`` raise.
    """
    dataset = retraining_dataset(model=model, by=by)
    with tenant_transaction():
        config = newest_config(model)
    return create_job(model=model, dataset=dataset, config=config, priority=priority, trigger=trigger, by=by)


def retrain_models(
    *, models: Iterable[RegisteredModel], by: Actor, priority: str = Priority.NORMAL
) -> list[Retraining]:
    """Retrain each model, or say why not; send the jobs with ``tasks.submit_retraining``."""
    return [_tried(model, by, priority) for model in models]


def _tried(model: RegisteredModel, by: Actor, priority: str) -> Retraining:
    try:
        return Retraining(model, retrain(model=model, by=by, priority=priority))
    except PlatformError as error:
        return Retraining(model, reason=error.detail)
