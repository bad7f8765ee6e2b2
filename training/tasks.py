"""Background work of the training app: each task calls one service."""

import logging
import time
from collections.abc import Iterable
from typing import Any

from celery import Celery, current_app, shared_task
from celery.signals import worker_init, worker_process_init, worker_ready, worker_shutting_down
from django.conf import settings
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant_id, tenant_scope
from mlplatform.tenancy.tasks import TenantTask
from registry.models import Dataset, ModelVersion, RegisteredModel
from training.models import BatchJob, DataSource, OnSourceFailure, RetrainingSchedule, TrainingJob
from training.models.job import Priority, Trigger
from training.services import batch_work, batches, execution, helping, repeating, reproducing, schedules
from training.services.batch_claims import PartClaim
from training.services.batch_sweeping import sweep_batches
from training.services.batch_turns import claim_next_part, claim_own_part, waiting_parts
from training.services.claims import Claim, claim
from training.services.closing import close_down, closing, open_again
from training.services.help_supervision import supervise_help
from training.services.helpers import HelpClaim, free_places, join, searches_to_help
from training.services.jobs import create_job, find_job
from training.services.supervision import supervise
from training.services.sweeping import RESEND_EVERY, sweep
from training.services.trainers import shelf
from training.services.turns import next_turn

logger = logging.getLogger(__name__)
NEVER = 365 * 86_400.0  # seconds
# The supervisor stops a job in time; this is for a supervisor that hangs.
CALL_EVERY = 15.0  # seconds: the sweep calls helpers again
BATCH_TURN = 5.0  # seconds for which a worker goes on with one tenant's batches
HARD_LIMIT_SECONDS = 60 * settings.TRAINING_TIMEOUT_MINUTES + 300


@shared_task(name="training.run_job", base=TenantTask, time_limit=HARD_LIMIT_SECONDS)
def run_job(job_id: int) -> None:
    """Run the job whose turn it is: a worker is free, and the message's own job need not be the next.

    There is a message for every waiting job, so each gets its turn. One that finds every tenant at its limit
    of jobs at once is spent; the end of a job sends another.
    """
    claimed = None if closing() else _claim_next()
    if claimed is None:
        logger.info("Job %s is taken, has ended or must wait; nothing to do.", job_id)
        return
    tenant, taken = claimed
    try:
        with tenant_scope(tenant):
            _run(taken)
    finally:
        _wake_next()


def _claim_next() -> tuple[Tenant, Claim] | None:
    while turn := next_turn():
        tenant, job_id = turn
        with tenant_scope(tenant):
            if (taken := claim(job_id=job_id)) is not None:
                return tenant, taken
    return None


def _wake_next(helped: int | None = None) -> None:
    """Send a message for what this worker may do next; a search that it has just left needs no other help."""
    if turn := next_turn():
        tenant, job_id = turn
        with tenant_scope(tenant):
            send(find_job(job_id))
        return
    _wake_batches()
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            _call_helpers(CALL_EVERY, but=helped)


@shared_task(name="training.help_search", base=TenantTask, time_limit=HARD_LIMIT_SECONDS)
def help_search(job_id: int) -> None:
    """Make some of the trials of a job's search, where no job waits for this worker.

    A message that finds the search over, or a job waiting, is spent; the sweep and the end of a job send
    others.
    """
    if closing() or next_turn() is not None:
        logger.info("The search of job %s is not helped with: there is other work.", job_id)
        return
    claimed = join(job_id=job_id)
    if claimed is None:
        logger.info("The search of job %s is over, or has all the help it may have.", job_id)
        return
    try:
        _help(claimed)
    finally:
        _wake_next(helped=job_id)


def _help(claimed: HelpClaim) -> None:
    if settings.TRAINING_ISOLATED:
        supervise_help(claim=claimed)
    else:
        helping.help_out(claim=claimed)


def _call_helpers(expires: float, but: int | None = None) -> None:
    """Offer this worker's idle time to the active tenant's open searches."""
    for job in searches_to_help():
        for _ in range(0 if job.pk == but else free_places(job)):
            help_search.apply_async_on_commit(
                args=(job.pk,), kwargs={"tenant_id": job.tenant_id}, expires=expires
            )


@shared_task(name="training.run_batch", base=TenantTask, time_limit=HARD_LIMIT_SECONDS)
def run_batch(job_id: int) -> None:
    """Do parts of the batches whose turn it is, until nothing waits or a training job waits for this worker.

    As with jobs a message is a nudge: whoever gets it takes what is next. One that ends before all is done
    sends another, which queues up behind the messages of training jobs.
    """
    while not closing() and (claimed := claim_next_part()):
        tenant, taken = claimed
        with tenant_scope(tenant):
            _work_off(taken)
        if next_turn() is not None:
            _wake_batches()
            return


def _work_off(taken: PartClaim) -> None:
    """Do the part and others of the same tenant for some seconds, with the help of other workers."""
    ends = time.monotonic() + BATCH_TURN
    following: PartClaim | None = taken
    while following is not None:
        waited = waiting_parts()
        batch_work.work(claim=following)
        for _ in range(min(waiting_parts(), settings.TRAINING_MAX_WORKERS) - 1 if not waited else 0):
            send_batch(taken.job_id)
        going_on = time.monotonic() < ends and not closing()
        following = claim_own_part() if going_on else None


def _wake_batches() -> None:
    """Send a message for the batches of each tenant in which something waits."""
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            for job in sweep_batches(timezone.now()):
                send_batch(job.pk, expires=CALL_EVERY)


def submit_batch(*, by: Actor, **asked: Any) -> BatchJob:
    """Create a batch and send it to a worker; takes and raises what ``create_batch`` does."""
    job = batches.create_batch(by=by, **asked)
    send_batch(job.pk)
    return job


def send_batch(job_id: int, expires: float = NEVER) -> None:
    """Nudge a worker to do parts of batches, as ``send`` does for a job."""
    run_batch.apply_async_on_commit(
        args=(job_id,), kwargs={"tenant_id": current_tenant_id()}, expires=expires
    )


def _run(taken: Claim) -> None:
    if settings.TRAINING_ISOLATED:
        supervise(claim=taken)
    else:
        execution.run(claim=taken)


@shared_task(name="training.sweep_jobs")
def sweep_jobs() -> int:
    """Give back the jobs of every tenant that lost their worker or message; return how many were sent."""
    sent = 0
    for tenant in Tenant.objects.filter(is_active=True):
        with tenant_scope(tenant):
            for job in sweep(timezone.now()):
                send(job, expires=RESEND_EVERY.total_seconds())
                sent += 1
            _call_helpers(CALL_EVERY)
    _wake_batches()
    return sent


@shared_task(name="training.fire_schedule", base=TenantTask)
def fire_schedule(schedule_id: int) -> None:
    """Start the retraining whose time has come."""
    job = schedules.fire(schedule_id=schedule_id, now=timezone.now())
    if job is not None:
        send(job)


def submit_job(
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
) -> TrainingJob:
    """Create a job and send it to a worker; takes and raises what ``create_job`` does."""
    job = create_job(
        model=model,
        dataset=dataset,
        by=by,
        config=config,
        trigger=trigger,
        priority=priority,
        note=note,
        source=source,
        on_source_failure=on_source_failure,
    )
    send(job)
    return job


def submit_retry(*, job: TrainingJob, by: Actor) -> TrainingJob:
    """Run an ended job anew and send it to a worker; raises what ``retry_job`` does."""
    again = repeating.retry_job(job=job, by=by)
    send(again)
    return again


def submit_clone(*, job: TrainingJob, changes: repeating.Changes, by: Actor) -> TrainingJob:
    """Make a job like another one and send it to a worker; raises what ``clone_job`` does."""
    clone = repeating.clone_job(job=job, changes=changes, by=by)
    send(clone)
    return clone


def submit_reproduction(*, version: ModelVersion, by: Actor) -> TrainingJob:
    """Have a worker rebuild a version and compare; raises what ``create_reproduction`` does."""
    job = reproducing.create_reproduction(version=version, by=by)
    send(job)
    return job


def submit_retraining(
    *, models: Iterable[RegisteredModel], by: Actor, priority: str = Priority.NORMAL
) -> list[repeating.Retraining]:
    """Retrain each of the models on the newest data and send the jobs to the workers."""
    done = repeating.retrain_models(models=models, by=by, priority=priority)
    for one in done:
        if one.job is not None:
            send(one.job)
    return done


def submit_schedule(*, schedule: RetrainingSchedule, by: Actor) -> TrainingJob:
    """Run a schedule now and send its job to a worker; raises what ``run_now`` does."""
    job = schedules.run_now(schedule=schedule, by=by)
    send(job)
    return job


def send(job: TrainingJob, expires: float = NEVER) -> None:
    """Nudge a worker once the present transaction is committed; a lost message is sent again by the sweep.

    A message that waited for longer than ``expires`` seconds is dropped.
    """
    run_job.apply_async_on_commit(args=(job.pk,), kwargs={"tenant_id": job.tenant_id}, expires=expires)


@worker_init.connect
def begin(**kwargs: Any) -> None:
    """Note that the worker works, before the processes of its pool are made."""
    open_again()


@worker_process_init.connect
def load_libraries(**kwargs: Any) -> None:
    """Have a process ready that the first job need not wait for."""
    queues = current_app.amqp.queues.consume_from
    if settings.TRAINING_ISOLATED and "training" in queues:
        shelf.keep_warm()


@worker_shutting_down.connect
def hand_jobs_back(**kwargs: Any) -> None:
    """Have running jobs put back into the queue, for the next worker: a deployment waits for no fit."""
    close_down()


@worker_ready.connect
def sweep_at_start(sender: Any = None, **kwargs: Any) -> None:
    """Look for jobs that the worker before this one left behind."""
    app: Celery | None = getattr(sender, "app", None)
    if app is not None:
        app.send_task("training.sweep_jobs", queue="training")
