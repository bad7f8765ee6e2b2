"""Errors that nobody expected: recorded, and raised on without words that may quote personal values."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from django.db import InterfaceError, OperationalError

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from registry.services.personal import dataset_marks
from training.errors import TrainingBroke
from training.services.claims import ClaimLost, JobCancelled, WorkerStops
from training.services.jobs import find_job

EXPECTED = (
    ClaimLost,
    JobCancelled,
    WorkerStops,
    PlatformError,
    MemoryError,
    OperationalError,
    InterfaceError,
)


@contextmanager
def recorded(job_id: int, record: Callable[[Exception, bool], object]) -> Iterator[None]:
    """Have an unexpected error of the block recorded, and raise it on; the expected ones pass untouched.

    ``record`` takes the error and whether its own words must not be kept, since the job's data has personal
    columns: then TrainingBroke, with the kind of error alone, is raised in its place.
    """
    with recorded_unless(partial(_is_personal, job_id), record):
        yield


@contextmanager
def recorded_unless(
    is_personal: Callable[[], bool], record: Callable[[Exception, bool], object]
) -> Iterator[None]:
    """Do the same for other work, whose data has personal columns where ``is_personal`` says so."""
    try:
        yield
    except EXPECTED:
        raise
    except Exception as error:
        personal = is_personal()
        record(error, personal)
        if personal:
            raise TrainingBroke(type(error).__name__) from None
        raise


def _is_personal(job_id: int) -> bool:
    with tenant_transaction():
        job = find_job(job_id)
        return bool(job.model.personal or dataset_marks(job.dataset))
