"""Training jobs as people see them: made, looked up, cancelled."""

from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from mlplatform.tenancy.services.usage import locked_usage, require_free, require_room
from registry.models import Dataset, ModelVersion, RegisteredModel
from training.errors import InvalidConfig, JobActive, JobEnded, JobNotFound
from training.models import DataSource, JobLogLine, JobState, OnSourceFailure, TrainingJob
from training.models.job import ACTIVE_STATES, Priority, Trigger
from training.services.configs import check_dataset, checked_config
from training.services.fresh_data import chosen_dataset


def create_job(
    *,
    model: RegisteredModel,
    dataset: Dataset | None = None,
    by: Actor,
    config: dict[str, Any] | None = None,
    trigger: str = Trigger.MANUAL,
    priority: str = Priority.NORMAL,
    note: str = "",
    source: DataSource | None = None,
    on_source_failure: str = OnSourceFailure.FAIL,
    reproduces: ModelVersion | None = None,
) -> TrainingJob:
    """Queue a training of the model on the dataset, or on what the source gives once the job runs.

    ``config`` is what ``configs.checked_config`` takes; ``note`` becomes the log's first line; ``reproduces``
    is the version that is to be rebuilt, in place of a new one. Raises InvalidConfig, UnusableData, JobActive
    where one for the same model and dataset waits or runs, NoSnapshot for a source that was never read,
    TooMany where the tenant has as many jobs as it may, NoRoom where it may store no model. Send it with
    ``tasks.submit_job``.
    """
    _check_trigger(trigger)
    _check_priority(priority)
    full = checked_config(model, config)
    dataset = chosen_dataset(dataset, source, on_source_failure)
    check_dataset(model, dataset, full)
    require_room(storage_bytes=1)
    job = TrainingJob(
        model=model,
        dataset=dataset,
        source=source,
        on_source_failure=on_source_failure,
        config=full,
        trigger=trigger,
        priority=priority,
        reproduces=reproduces,
        stage="Waiting",
        created_by=str(by),
    )
    with tenant_transaction():
        _queue(job, by=by, note=note)
    return job


def _queue(job: TrainingJob, *, by: Actor, note: str) -> None:
    locked_usage()
    _refuse_active(job.model, job.dataset, job.reproduces)
    require_free("active_jobs")
    job.clean()
    try:
        with tenant_transaction():
            job.save(force_insert=True)
    except IntegrityError as error:
        raise JobActive(_active_text(job.model, job.dataset)) from error
    if note:
        job.log.create(message=note)
    record(by=by, action="job.created", target=job, after=fields_of(job, "created_at"))


def find_job(pk: int) -> TrainingJob:
    """Return the job with its model and dataset; raises JobNotFound."""
    jobs = TrainingJob.objects.select_related("model", "dataset", "version", "source", "reproduces")
    job = jobs.filter(pk=pk).first()
    if job is None:
        raise JobNotFound(f"There is no training job {pk}.")
    return job


def request_cancel(*, job: TrainingJob, by: Actor) -> TrainingJob:
    """Cancel a waiting job at once; ask a running one to stop, whatever it does. Raises JobEnded."""
    with tenant_transaction():
        mine = TrainingJob.objects.filter(pk=job.pk)
        waiting = mine.filter(state=JobState.QUEUED).update(
            state=JobState.CANCELLED, cancel_requested=True, stage="", finished_at=timezone.now()
        )
        if not waiting and not mine.filter(state=JobState.RUNNING).update(cancel_requested=True):
            job.refresh_from_db()
            raise JobEnded(f"Job {job.pk} has ended ({job.get_state_display().lower()}): nothing to cancel.")
        JobLogLine.objects.create(job=job, message=f"{by} asked to cancel.")
        before = {"state": JobState.QUEUED if waiting else JobState.RUNNING, "cancel_requested": False}
        job.refresh_from_db()
        after = {"state": job.state, "cancel_requested": True}
        record(by=by, action="job.cancel_requested", target=job, before=before, after=after)
    return job


def set_priority(*, job: TrainingJob, priority: str, by: Actor) -> TrainingJob:
    """Let a waiting job come sooner or later; raises InvalidConfig, or JobEnded where it waits no more."""
    _check_priority(priority)
    with tenant_transaction():
        before = {"priority": job.priority}
        if not TrainingJob.objects.filter(pk=job.pk, state=JobState.QUEUED).update(priority=priority):
            job.refresh_from_db()
            state = job.get_state_display().lower()
            raise JobEnded(f"Job {job.pk} waits no more ({state}): its priority means nothing now.")
        job.refresh_from_db()
        record(by=by, action="job.reprioritised", target=job, before=before, after={"priority": job.priority})
    return job


def active_jobs(model: RegisteredModel) -> list[TrainingJob]:
    """Return the model's jobs that wait or run, newest first."""
    return list(TrainingJob.objects.filter(model=model, state__in=ACTIVE_STATES))


def newest_config(model: RegisteredModel) -> dict[str, Any] | None:
    """Return the configuration to retrain with: of the newest job that made a version, else of the newest."""
    jobs = TrainingJob.objects.filter(model=model, reproduces=None)
    newest = jobs.filter(version__isnull=False).first() or jobs.first()
    return newest.config if newest else None


def _check_trigger(trigger: str) -> None:
    if trigger not in Trigger.values:
        raise InvalidConfig(f"{trigger!r} is no trigger. Choose from {', '.join(Trigger.values)}.")


def _check_priority(priority: str) -> None:
    if priority not in Priority.values:
        raise InvalidConfig(
            f"{priority!r} is no priority. Choose from {', '.join(Priority.values)}.",
            fields={"priority": [f"Choose from {', '.join(Priority.values)}."]},
        )


def _refuse_active(model: RegisteredModel, dataset: Dataset, reproduces: ModelVersion | None) -> None:
    same = TrainingJob.objects.filter(model=model, dataset=dataset, reproduces=reproduces)
    if same.filter(state__in=ACTIVE_STATES).exists():
        raise JobActive(_active_text(model, dataset))


def _active_text(model: RegisteredModel, dataset: Dataset) -> str:
    return (
        f"A job that trains {model.name} on {dataset.name} is active already. "
        "Wait for it to end, or cancel it."
    )
