"""Doing a claimed part of a batch, and recording how it ended."""

import logging
import traceback
from functools import partial

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from registry.services.personal import dataset_marks
from training.models import BatchJob, BatchPart, JobState
from training.models.batch import PartKind
from training.services.batch_claims import Pace, PartClaim, end_batch, hold
from training.services.batch_parts import answer_part, join_parts
from training.services.batch_reading import read_input
from training.services.batch_sweeping import give_back_part
from training.services.batches import find_batch
from training.services.breaking import recorded_unless
from training.services.claims import ClaimLost, WorkerStops
from training.services.execution import space_told
from training.services.limits import limited_threads

logger = logging.getLogger(__name__)
NO_MEMORY = (
    "A part of the batch needs more memory than there is. Let your operator lower ML_BATCH_BYTES and "
    "ML_BATCH_ROWS, or give the worker more."
)


def work(*, claim: PartClaim) -> None:
    """Do the part, in this process.

    Expected trouble ends the batch as FAILED with a code and a sentence; anything else as ERRORED with the
    traceback, and is raised on; where columns are personal, without the error's own words. A part whose claim
    was lost is left to whoever has it now. Where the database went away, or this worker is being stopped, the
    part is given back.
    """
    try:
        with (
            recorded_unless(partial(_is_personal, claim), partial(_broken, claim)),
            space_told(),
            limited_threads(settings.TRAINING_THREADS),
        ):
            _do(claim)
    except ClaimLost:
        logger.info("Part %s of batch %s went on without this worker.", claim.part_id, claim.job_id)
    except WorkerStops:
        _hand_back(claim, counted=False)
    except PlatformError as error:
        end_batch(job_id=claim.job_id, state=JobState.FAILED, error_code=error.code, error=error.detail)
    except MemoryError:
        end_batch(job_id=claim.job_id, state=JobState.FAILED, error_code="out_of_memory", error=NO_MEMORY)
    except (OperationalError, InterfaceError):
        logger.warning("The database went away during batch %s.", claim.job_id, exc_info=True)
        connection.close()
        _hand_back(claim, counted=True)


def _do(claim: PartClaim) -> None:
    with tenant_transaction():
        hold(claim)
        job = find_batch(claim.job_id)
        part = BatchPart.objects.get(pk=claim.part_id)
    pace = Pace(claim)
    if part.kind == PartKind.READING:
        read_input(job, claim, pace)
    elif part.kind == PartKind.ANSWERS:
        answer_part(job, part, claim, pace)
    else:
        join_parts(job, claim, pace)


def _hand_back(claim: PartClaim, *, counted: bool) -> None:
    with tenant_transaction():
        part = BatchPart.objects.filter(pk=claim.part_id, claim_token=claim.token).first()
    if part is not None:
        give_back_part(part, timezone.now(), counted=counted)


def _is_personal(claim: PartClaim) -> bool:
    with tenant_transaction():
        job = BatchJob.objects.select_related("model", "dataset", "source").get(pk=claim.job_id)
        marked = job.dataset is not None and bool(dataset_marks(job.dataset))
        return bool(marked or job.model.personal or (job.source is not None and job.source.personal))


def _broken(claim: PartClaim, error: Exception, personal: bool) -> None:
    kind = type(error).__name__
    if personal:
        words = f"{kind}. Its text is left out: the data has personal columns."
        trace = "".join([*traceback.format_tb(error.__traceback__), kind])
    else:
        words, trace = f"{kind}: {error}", "".join(traceback.format_exception(error))
    end_batch(
        job_id=claim.job_id,
        state=JobState.ERRORED,
        error_code="internal_error",
        error=words,
        traceback=trace,
    )
