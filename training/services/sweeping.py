"""Finding jobs that lost their worker or their message. Rows are the truth; messages are nudges."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import F, Q

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from training.models import JobLogLine, JobState, SearchHelper, TrainingJob
from training.services.claims import Claim, close_trials
from training.services.helpers import release_lost

MESSAGE_GRACE = timedelta(seconds=10)
RESEND_EVERY = timedelta(seconds=60)
WORKER_LOST = "worker_lost"
WORKER_STOPPED = "worker_stopped"
WORKER_GONE = "The worker was lost."


def sweep(now: datetime) -> list[TrainingJob]:
    """Return the active tenant's jobs that need a message, after putting them back into the queue.

    A running job whose heartbeat is older than the lease has lost its worker: it waits again, until it has
    used up ``TRAINING_MAX_ATTEMPTS``; then it fails. A job that waits for long gets its message again.
    """
    stale = now - timedelta(seconds=settings.TRAINING_LEASE_SECONDS)
    with tenant_transaction():
        lost = list(TrainingJob.objects.filter(state=JobState.RUNNING, heartbeat_at__lt=stale))
    _release_helpers(now)
    requeued = [job for job in lost if give_back(job, now, WORKER_GONE)]
    return requeued + _waiting_too_long(now, {job.pk for job in requeued})


def _release_helpers(now: datetime) -> None:
    """Give trials back whose helpers show no sign of life."""
    with tenant_transaction():
        helped = set(SearchHelper.objects.filter(ended_at=None).values_list("job_id", flat=True))
    for job_id in helped:
        release_lost(job_id=job_id, now=now)


@dataclass(frozen=True)
class Fate:
    """What becomes of a job that lost its worker."""

    state: JobState
    message: str
    fields: dict[str, Any]


def _fate(job: TrainingJob, now: datetime, what: str) -> Fate:
    if job.cancel_requested:
        message = f"{what} The job is cancelled, as asked."
        return Fate(JobState.CANCELLED, message, {"stage": "", "finished_at": now})
    if job.attempt < settings.TRAINING_MAX_ATTEMPTS:
        message = f"{what} The job waits to run again."
        return Fate(JobState.QUEUED, message, {"stage": "Waiting to run again", "progress": 0})
    message = (
        f"{what} That was attempt {job.attempt}, so the job is not tried again. It may need more memory "
        "than there is: use fewer rows or smaller algorithms, then start a new job."
    )
    ended = {"stage": "", "finished_at": now, "error_code": WORKER_LOST, "error": message}
    return Fate(JobState.FAILED, message, ended)


def give_back(job: TrainingJob, now: datetime, what: str) -> bool:
    """Move a lost job on, unless it showed a sign of life meanwhile; True where it is to run again.

    ``what`` says in a sentence what became of its worker.
    """
    fate = _fate(job, now, what)
    again = fate.state == JobState.QUEUED
    with tenant_transaction():
        moved = TrainingJob.objects.filter(
            pk=job.pk, state=JobState.RUNNING, claim_token=job.claim_token, heartbeat_at=job.heartbeat_at
        ).update(state=fate.state, claim_token=None, heartbeat_at=now, **fate.fields)
        if not moved:
            return False
        close_trials(job.pk)
        JobLogLine.objects.create(job=job, level="warning" if again else "error", message=fate.message)
        action = "job.requeued" if again else f"job.{fate.state.value}"
        before, after = {"state": JobState.RUNNING}, {"state": fate.state}
        record(
            by=SYSTEM,
            action=action,
            target=job,
            before=before,
            after=after,
            code=WORKER_LOST,
            attempt=job.attempt,
        )
    return again


def hand_back(*, claim: Claim) -> bool:
    """Put a job back into the queue whose worker is being stopped; the attempt does not count.

    False where the claim is lost.
    """
    with tenant_transaction():
        moved = TrainingJob.objects.filter(
            pk=claim.job_id, state=JobState.RUNNING, claim_token=claim.token
        ).update(
            state=JobState.QUEUED,
            claim_token=None,
            heartbeat_at=None,  # its message is spent: the sweep of the next worker's start sends it anew
            attempt=F("attempt") - 1,
            stage="Waiting to run again",
            progress=0,
        )
        if not moved:
            return False
        close_trials(claim.job_id)
        job = TrainingJob.objects.get(pk=claim.job_id)
        job.log.create(message="The worker is being stopped; the job waits for the next one.")
        before, after = {"state": JobState.RUNNING}, {"state": JobState.QUEUED}
        record(by=SYSTEM, action="job.requeued", target=job, before=before, after=after, code=WORKER_STOPPED)
    return True


def _waiting_too_long(now: datetime, sent: set[int]) -> list[TrainingJob]:
    """Waiting jobs whose message may be lost. The heartbeat of a waiting job is when it was last sent."""
    unsent = Q(heartbeat_at=None, created_at__lt=now - MESSAGE_GRACE)
    sent_long_ago = Q(heartbeat_at__lt=now - RESEND_EVERY)
    with tenant_transaction():
        waiting = TrainingJob.objects.filter(unsent | sent_long_ago, state=JobState.QUEUED)
        jobs = [job for job in waiting if job.pk not in sent]
        if jobs:
            TrainingJob.objects.filter(pk__in=[job.pk for job in jobs], state=JobState.QUEUED).update(
                heartbeat_at=now
            )
    return jobs
