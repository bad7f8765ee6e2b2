"""Helping with another worker's search: the same frozen data, the same folds, some of the trials."""

import logging
from datetime import datetime

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from training.models import TrainingJob
from training.services.breaking import recorded
from training.services.claims import ClaimLost, JobCancelled
from training.services.fitting import prepare
from training.services.heartbeats import Heartbeat
from training.services.helpers import HelpClaim, leave
from training.services.jobs import find_job
from training.services.limits import limited_threads, limits_of, memory_text
from training.services.reporting import HelperReporter
from training.services.searching import Search
from training.services.tables import Table
from training.services.turns import somebody_waits

logger = logging.getLogger(__name__)


def seconds_left(job: TrainingJob, now: datetime) -> float:
    """Return how many of its seconds the job still has."""
    passed = (now - job.started_at).total_seconds() if job.started_at else 0.0
    return max(0.0, limits_of(job.config).seconds - passed)


def help_out(*, claim: HelpClaim, beating: bool = True) -> None:
    """Make trials of the claimed search, in this process, until it is over or a job waits for a worker.

    However it ends, the place is free afterwards, and a trial that was not completed is for another worker.
    The job's own worker says what becomes of the job.
    """
    with tenant_transaction():
        job = find_job(claim.job_id)
    limits = limits_of(job.config)
    lost = error = ""

    def broke(problem: Exception, personal: bool) -> None:
        nonlocal lost
        lost = f"It met an error ({type(problem).__name__})."

    try:
        with (
            recorded(claim.job_id, broke),
            Heartbeat(
                claim,
                seconds=seconds_left(job, timezone.now()),
                beating=beating,
                allowed=limits.seconds,
            ) as heartbeat,
            limited_threads(limits.cpus),
        ):
            _work(claim, job, heartbeat)
    except (ClaimLost, JobCancelled):
        logger.info("The search of job %s is over; this helper leaves.", claim.job_id)
    except PlatformError as problem:
        logger.info("A helper of job %s leaves: %s", claim.job_id, problem.detail)
    except MemoryError:
        error = memory_text(limits.memory_mb)
    except (OperationalError, InterfaceError):
        logger.warning("The database went away while helping with job %s.", claim.job_id, exc_info=True)
        connection.close()
    finally:
        leave(claim=claim, lost=lost, error=error)


def _work(claim: HelpClaim, job: TrainingJob, heartbeat: Heartbeat) -> None:
    reporter = HelperReporter(claim, job.model.problem.primary_metric)
    material = prepare(job, Table.of_job(job))
    search = Search(job, material, reporter, heartbeat, began=job.search_opened_at)
    search.work(goes_on=lambda: not somebody_waits(beside=current_tenant()))
