"""Who works on a part of a batch. A claim is a token in the part's row: whoever lost it writes no result."""

import os
import socket
import time
import uuid
from dataclasses import dataclass, field
from typing import Any

from django.db.models import F
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.limits import limit_of
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import give_back, locked_usage, measured
from training.models import BatchJob, BatchPart, JobState
from training.models.batch import PartState, storage_of
from training.models.job import ACTIVE_STATES
from training.services.batch_files import drop_files
from training.services.claims import ClaimLost, WorkerStops
from training.services.closing import closing

BETWEEN_LOOKS = 1.0  # seconds


@dataclass(frozen=True)
class PartClaim:
    """The right to work on one part until it is done or the heartbeat stops."""

    job_id: int
    part_id: int
    token: uuid.UUID


@dataclass
class Pace:
    """Looks once a second whether the work is to go on, which is the sign of life as well."""

    claim: PartClaim
    _looked: float = field(default_factory=time.monotonic)

    def __call__(self) -> None:
        """Beat; raises ClaimLost where another worker has the part or the job has ended, or WorkerStops."""
        if closing():
            raise WorkerStops
        now = time.monotonic()
        if now - self._looked >= BETWEEN_LOOKS:
            self._looked = now
            with tenant_transaction():
                hold(self.claim)


def claim_part(*, part_id: int) -> PartClaim | None:
    """Take a waiting part; None where it is taken, its job has ended, or the tenant is at its limit."""
    token, now = uuid.uuid4(), timezone.now()
    with tenant_transaction():
        locked_usage()  # of workers that free up at once, none takes a part over the limit
        if measured("running_jobs") >= limit_of(current_tenant(), "running_jobs"):
            return None
        of_part = BatchPart.objects.filter(pk=part_id).values("job")
        active = BatchJob.objects.select_for_update(of=("self",)).filter(state__in=ACTIVE_STATES)
        job = active.filter(pk__in=of_part).first()
        taken = job and BatchPart.objects.filter(pk=part_id, state=PartState.WAITING).update(
            state=PartState.RUNNING,
            claim_token=token,
            attempt=F("attempt") + 1,
            worker=f"{socket.gethostname()}, process {os.getpid()}",
            heartbeat_at=now,
            started_at=now,
        )
        if job is None or not taken:
            return None
        if job.state == JobState.QUEUED:
            BatchJob.objects.filter(pk=job.pk).update(state=JobState.RUNNING, started_at=now)
    return PartClaim(job.pk, part_id, token)


def hold(claim: PartClaim, **fields: Any) -> None:
    """Change the part under its claim, a sign of life too; raises ClaimLost. Call it in a transaction."""
    mine = BatchPart.objects.filter(
        pk=claim.part_id, claim_token=claim.token, state=PartState.RUNNING, job__state=JobState.RUNNING
    )
    if not mine.update(heartbeat_at=timezone.now(), **fields):
        raise ClaimLost


def locked_job(claim: PartClaim) -> BatchJob:
    """Return the job, locked until the transaction ends, where the claim holds; raises ClaimLost."""
    locked_usage()  # before the job, as whoever ends it does: neither waits for the other crosswise
    job = BatchJob.objects.select_for_update(of=("self",)).filter(pk=claim.job_id).first()
    if job is None:
        raise ClaimLost
    hold(claim)
    return job


def end_batch(*, job_id: int, state: JobState, by: Actor = SYSTEM, action: str = "", **fields: Any) -> bool:
    """End a job that has not ended yet, without answers, and drop its files; False where it had ended."""
    with tenant_transaction():
        locked_usage()
        job = BatchJob.objects.select_for_update(of=("self",)).filter(pk=job_id).first()
        if job is None or not job.is_active:
            return False
        before, files = job.state, storage_of(job)
        BatchPart.objects.filter(job=job).update(file="", errors_file="", claim_token=None)
        BatchPart.objects.filter(job=job, state=PartState.RUNNING).update(state=PartState.WAITING)
        give_back(storage_bytes=job.stored_bytes)
        BatchJob.objects.filter(pk=job.pk).update(
            state=state, finished_at=timezone.now(), input_file="", stored_bytes=0, **fields
        )
        record(
            by=by,
            action=action or f"batch.{state.value}",
            target=job,
            before={"state": before},
            after={"state": state, "error_code": fields.get("error_code", "")},
        )
    drop_files(files)
    return True
