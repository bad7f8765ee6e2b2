"""Errors that nobody expected: recorded, and raised on without words that may quote personal values."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from django.db import InterfaceError, OperationalError

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import tenant_transaction
from registry.services.personal import dataset_marks
from training.errors import TrainingBroke
from training.services.claims import ClaimLost, JobCancelled
from training.services.jobs import find_job

EXPECTED = (ClaimLost, JobCancelled, PlatformError, MemoryError, OperationalError, InterfaceError)


@contextmanager
def recorded(job_id: int, record: Callable[[Exception, bool], object]) -> Iterator[None]:
    """Have an unexpected error of the block recorded, and raise it on; the expected ones pass untouched.

    ``record`` takes the error and whether its own words must not be kept, since the job's data has personal
    columns: then TrainingBroke, with the kind of error alone, is raised in its place.
    """
    try:
        yield
    except EXPECTED:
        raise
    except Exception as error:
        personal = _is_personal(job_id)
        record(error, personal)
        if personal:
            raise TrainingBroke(type(error).__name__) from None
        raise


def _is_personal(job_id: int) -> bool:
    with tenant_transaction():
        job = find_job(job_id)
        return bool(job.model.personal or dataset_marks(job.dataset))
