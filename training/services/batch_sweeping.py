"""Finding parts that lost their worker, batches whose message is lost, and files whose time is over."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import F, Q

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import give_back, locked_usage
from training.models import BatchJob, BatchPart, JobState
from training.models.batch import PartState
from training.models.job import ACTIVE_STATES
from training.services.batch_claims import end_batch
from training.services.batch_files import drop_files
from training.services.sweeping import WORKER_LOST

HAS_FILES = ~Q(output_file="", errors_file="")


def sweep_batches(now: datetime) -> list[BatchJob]:
    """Return the active tenant's batches that need a message, after giving lost parts back.

    A part whose heartbeat is older than the lease has lost its worker: it waits again, until it has used up
    ``TRAINING_MAX_ATTEMPTS``; then the batch fails. Files of answers are deleted when their time is over.
    """
    stale = now - timedelta(seconds=settings.TRAINING_LEASE_SECONDS)
    with tenant_transaction():
        lost = list(BatchPart.objects.filter(state=PartState.RUNNING, heartbeat_at__lt=stale))
    for part in lost:
        give_back_part(part, now)
    delete_old_files(now)
    with tenant_transaction():
        waiting = BatchPart.objects.filter(state=PartState.WAITING, job__state__in=ACTIVE_STATES)
        return list(BatchJob.objects.filter(pk__in=waiting.values("job")))


def give_back_part(part: BatchPart, now: datetime, *, counted: bool = True) -> None:
    """Let another worker do the part, unless its own showed a sign of life meanwhile, or it was tried often.

    Without ``counted`` the attempt is none: its worker was stopped, and nothing is wrong with the part.
    """
    if counted and part.attempt >= settings.TRAINING_MAX_ATTEMPTS:
        sentence = (
            f"The worker of part {part.number} was lost. That was attempt {part.attempt}, so the batch is "
            "not tried again. It may need more memory than there is: let your operator lower "
            "ML_BATCH_BYTES and ML_BATCH_ROWS."
        )
        with tenant_transaction():
            still = BatchPart.objects.filter(pk=part.pk, heartbeat_at=part.heartbeat_at).exists()
        if still:
            end_batch(job_id=part.job_id, state=JobState.FAILED, error_code=WORKER_LOST, error=sentence)
        return
    with tenant_transaction():
        BatchPart.objects.filter(
            pk=part.pk,
            state=PartState.RUNNING,
            claim_token=part.claim_token,
            heartbeat_at=part.heartbeat_at,
        ).update(
            state=PartState.WAITING, claim_token=None, attempt=F("attempt") if counted else F("attempt") - 1
        )


def delete_old_files(now: datetime) -> int:
    """Delete the files of batches whose time is over; return of how many batches."""
    with tenant_transaction():
        old = list(BatchJob.objects.filter(HAS_FILES, expires_at__lte=now).values_list("pk", flat=True))
    for pk in old:
        with tenant_transaction():
            locked_usage()
            job = BatchJob.objects.select_for_update().get(pk=pk)
            files = [job.output_file, job.errors_file]
            give_back(storage_bytes=job.stored_bytes)
            BatchJob.objects.filter(pk=pk).update(output_file="", errors_file="", stored_bytes=0)
            record(by=SYSTEM, action="batch.files_deleted", target=job)
        drop_files(files)
    return len(old)
