"""Who works on a job. A claim is a token in the job's row: whoever lost it can write no result."""

import uuid
from dataclasses import dataclass
from typing import Any

from django.db.models import F
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.limits import limit_of
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import locked_usage, measured
from training.models import JobLogLine, JobState, SearchHelper, TrainingJob, Trial
from training.models.trial import TrialState


class ClaimLost(Exception):
    """Another worker has the job by now, or it ended: what this one does is void."""


class JobCancelled(Exception):
    """Somebody asked the job to stop."""


class WorkerStops(Exception):
    """This worker is being stopped: another one does the work."""


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until it ends or its heartbeat stops."""

    job_id: int
    token: uuid.UUID

    def as_text(self) -> str:
        """Return the claim as it is handed to another process."""
        return f"{self.job_id}:{self.token}"

    @classmethod
    def from_text(cls, text: str) -> "Claim":
        """Return the claim that ``as_text`` wrote."""
        job_id, _, token = text.partition(":")
        return cls(int(job_id), uuid.UUID(token))


@dataclass(frozen=True)
class Pulse:
    """What a heartbeat learns: whether the claim still holds, and whether somebody wants the job to stop.

    ``ended`` says that the job ended under this very claim.
    """

    held: bool
    cancel: bool
    ended: bool = False


def claim(*, job_id: int) -> Claim | None:
    """Take a waiting job; None where it is gone, ended, or taken: of many messages only one gets it.

    None, too, where the tenant runs as many jobs at once as it may.
    """
    token = uuid.uuid4()
    now = timezone.now()
    with tenant_transaction():
        locked_usage()  # of workers that free up at once, none takes a job over the limit
        if measured("running_jobs") >= limit_of(current_tenant(), "running_jobs"):
            return None
        taken = TrainingJob.objects.filter(pk=job_id, state=JobState.QUEUED).update(
            state=JobState.RUNNING,
            claim_token=token,
            attempt=F("attempt") + 1,
            heartbeat_at=now,
            started_at=now,
            stage="Starting",
            progress=0,
            search_opened_at=None,
        )
        if not taken:
            return None
        # What an attempt before this one left behind would double the leaderboard.
        Trial.objects.filter(job_id=job_id).delete()
        SearchHelper.objects.filter(job_id=job_id).delete()
    return Claim(job_id, token)


def beat(*, claim: Claim) -> Pulse:
    """Renew the lease and look for a wish to cancel."""
    with tenant_transaction():
        update(claim)
        return look(claim=claim)


def look(*, claim: Claim) -> Pulse:
    """Look for a wish to cancel, and whether the claim holds, without a sign of life."""
    with tenant_transaction():
        row = (
            TrainingJob.objects.filter(pk=claim.job_id, claim_token=claim.token)
            .values_list("state", "cancel_requested")
            .first()
        )
    if row is None:
        return Pulse(held=False, cancel=False)
    running = row[0] == JobState.RUNNING
    return Pulse(held=running, cancel=running and row[1], ended=not running)


def demand(claim: Claim) -> None:
    """Beat, and raise ClaimLost or JobCancelled where the work is not to go on."""
    pulse = beat(claim=claim)
    if not pulse.held:
        raise ClaimLost
    if pulse.cancel:
        raise JobCancelled


def update(claim: Claim, **fields: Any) -> bool:
    """Change the running job under its claim, which is a sign of life too; False where the claim is lost."""
    mine = TrainingJob.objects.filter(pk=claim.job_id, state=JobState.RUNNING, claim_token=claim.token)
    return mine.update(heartbeat_at=timezone.now(), **fields) == 1


def finish(*, claim: Claim, state: JobState, **fields: Any) -> bool:
    """End the job in one step, or change nothing and return False where the claim is lost.

    A job that somebody asked to cancel cannot succeed any more: that, too, returns False.
    """
    now = timezone.now()
    with tenant_transaction():
        mine = TrainingJob.objects.filter(pk=claim.job_id, state=JobState.RUNNING, claim_token=claim.token)
        if state == JobState.SUCCEEDED:
            mine = mine.filter(cancel_requested=False)
            fields["progress"] = 100
        if not mine.update(state=state, stage="", finished_at=now, heartbeat_at=now, **fields):
            return False
        close_trials(claim.job_id)
        job = TrainingJob.objects.get(pk=claim.job_id)
        if job.error:
            JobLogLine.objects.create(job=job, level="error", message=job.error)
        record(
            by=SYSTEM,
            action=f"job.{state.value}",
            target=job,
            before={"state": JobState.RUNNING},
            after={"state": state, "version_id": job.version_id, "error_code": job.error_code},
            attempt=job.attempt,
        )
    return True


def close_trials(job_id: int) -> None:
    """Mark the trials of a job that has ended, and send its helpers away: none of them goes on."""
    open_states = (TrialState.RUNNING, TrialState.WAITING)
    Trial.objects.filter(job_id=job_id, state__in=open_states).update(state=TrialState.STOPPED)
    SearchHelper.objects.filter(job_id=job_id, ended_at=None).update(ended_at=timezone.now())
