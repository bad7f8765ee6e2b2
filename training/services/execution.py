"""Running a claimed job from its first row to its version."""

import errno
import logging
import os
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.usage import locked_usage
from registry.errors import StorageUnavailable
from registry.models import ModelVersion
from registry.models.version import VersionStatus
from registry.services.versions import (
    StoredArtifact,
    TrainedModel,
    announce_version,
    register_version,
    store_artifact,
)
from training.models import JobState, TrainingJob
from training.services.breaking import recorded
from training.services.checks import enforce, findings_of
from training.services.claims import Claim, ClaimLost, JobCancelled, demand, finish
from training.services.fitting import Material, prepare, refit
from training.services.fresh_data import take_fresh_data
from training.services.heartbeats import Heartbeat
from training.services.jobs import find_job
from training.services.limits import Limits, limited_threads, limits_of, memory_text
from training.services.reporting import JobReporter
from training.services.reproducing import reproduce
from training.services.searching import SEARCH_FROM, SEARCH_TO, Search
from training.services.sweeping import give_back
from training.services.tables import Table

logger = logging.getLogger(__name__)
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


def run(*, claim: Claim, beating: bool = True) -> None:
    """Do the claimed job, in this process, and record how it ended.

    Expected trouble ends it as FAILED with a code and a sentence; anything else as ERRORED with the
    traceback, and is raised on; where columns are personal, without the error's own words, which may quote
    values. A job whose claim was lost meanwhile is left to whoever has it now. Where the database went away
    the job is given back, a bounded number of times. ``beating``: whether to renew the lease from here.
    """
    limits = _limits(claim)
    try:
        with (
            recorded(claim.job_id, partial(_broken, claim)),
            space_told(),
            Heartbeat(claim, seconds=limits.seconds, beating=beating) as heartbeat,
            limited_threads(limits.cpus),
        ):
            _train(claim, heartbeat)
    except ClaimLost:
        logger.warning("Job %s went to another worker or ended; this result is dropped.", claim.job_id)
    except JobCancelled:
        finish(claim=claim, state=JobState.CANCELLED)
    except PlatformError as error:
        finish(claim=claim, state=JobState.FAILED, error_code=error.code, error=error.detail)
    except MemoryError:
        sentence = memory_text(limits.memory_mb)
        finish(claim=claim, state=JobState.FAILED, error_code="out_of_memory", error=sentence)
    except (OperationalError, InterfaceError):
        logger.warning("The database went away during job %s.", claim.job_id, exc_info=True)
        _give_back(claim)


@contextmanager
def space_told() -> Iterator[None]:
    """Say in a sentence that a disk is full, wherever it was; without the path, which may name data."""
    try:
        yield
    except OSError as error:
        if error.errno not in NO_SPACE:
            raise
        reason = os.strerror(error.errno or errno.ENOSPC)
        raise StorageUnavailable(
            f"A disk of the worker is full: {reason}. Free space there, then run the job again."
        ) from error


def _limits(claim: Claim) -> Limits:
    with tenant_transaction():
        return limits_of(find_job(claim.job_id).config)


def _give_back(claim: Claim) -> None:
    connection.close()
    with tenant_transaction():
        job = find_job(claim.job_id)
    if job.state == JobState.RUNNING and job.claim_token == claim.token:
        give_back(job, timezone.now(), "The database went away.")


def _broken(claim: Claim, error: Exception, personal: bool) -> None:
    kind = type(error).__name__
    if personal:
        words = f"{kind}. Its text is left out: the data has personal columns."
        trace = "".join([*traceback.format_tb(error.__traceback__), kind])
    else:
        words, trace = f"{kind}: {error}", "".join(traceback.format_exception(error))
    finish(claim=claim, state=JobState.ERRORED, error_code="internal_error", error=words, traceback=trace)


def _train(claim: Claim, heartbeat: Heartbeat) -> None:
    with tenant_transaction():
        job = find_job(claim.job_id)
    if job.reproduces is not None:
        reproduce(claim, job, heartbeat)
        return
    reporter = JobReporter(claim, job.model.problem.primary_metric)
    take_fresh_data(job, reporter, heartbeat.check)
    table = Table.of_job(job)
    _check(job, table, reporter)
    material = prepare(job, table)
    _tell_material(job, material, reporter)
    best = Search(job, material, reporter, heartbeat).run()
    heartbeat.check()
    reporter.stage(f"Fitting {best.algorithm} on all training rows", SEARCH_TO)
    trained = refit(job, material, best)
    heartbeat.check()
    reporter.stage("Storing the version", 95)
    _complete(job, trained, store_artifact(trained), claim)


def _check(job: TrainingJob, table: Table, reporter: JobReporter) -> None:
    reporter.stage("Checking the data", 1)
    findings = findings_of(job.model, table)
    reporter.findings(findings)
    enforce(job.model, findings)


def _tell_material(job: TrainingJob, material: Material, reporter: JobReporter) -> None:
    learnt, kept = int((~material.held_out).sum()), int(material.held_out.sum())
    reporter.stage("Preparing the data", SEARCH_FROM)
    reporter.log(
        f"Attempt {job.attempt}: {learnt} rows to learn from, {kept} held out, "
        f"{len(material.columns)} inputs."
    )
    if material.rows_without_target:
        reporter.log(f"{material.rows_without_target} rows without a target were left out.", "warning")


def _complete(
    job: TrainingJob, trained: TrainedModel, artifact: StoredArtifact, claim: Claim
) -> ModelVersion:
    """Register the version and end the job in one transaction, or change nothing at all."""
    by = Actor(ActorKind.SYSTEM, f"training job {job.pk}", job.pk)
    with tenant_transaction():
        locked_usage()  # before the trail, as an import does: neither waits for the other crosswise
        if not finish(claim=claim, state=JobState.SUCCEEDED):
            demand(claim)  # says whether the claim was lost or the job is to be cancelled
            raise ClaimLost
        version = register_version(model=job.model, trained=trained, artifact=artifact, by=by)
        TrainingJob.objects.filter(pk=job.pk).update(version=version)
        job.log.create(message=f"Registered {version}: hold-out {_shown(job, trained)}.")
        if version.status == VersionStatus.FAILED:
            job.log.create(level="error", message=f"{version} failed its smoke test: {version.status_reason}")
        announce_version(version)
    return version


def _shown(job: TrainingJob, trained: TrainedModel) -> str:
    metric = job.model.problem.primary
    return (
        f"{metric.title} {trained.metrics[metric.name]:.4f}" if metric.name in trained.metrics else "unscored"
    )
