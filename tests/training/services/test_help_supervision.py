"""Helpers in processes of their own: stopped at once with the job, and alone when they die."""

import threading
import time
from collections.abc import Callable

import pytest
from django.db import connection

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.training.services.test_supervision import Train, start
from training.models import JobState, SearchHelper, TrainingJob
from training.models.trial import TrialState
from training.services import trainers
from training.services.claims import claim
from training.services.help_supervision import supervise_help
from training.services.helpers import join, open_search
from training.services.jobs import find_job, request_cancel

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["start"]


def help_once(job: TrainingJob) -> None:
    """Let a helper's process work on the job's search until it leaves."""
    helper = join(job_id=job.pk)
    assert helper is not None
    supervise_help(claim=helper)


def opened(job: TrainingJob) -> TrainingJob:
    """Open the job's search, whose own worker is busy elsewhere."""
    taken = claim(job_id=job.pk)
    assert taken is not None
    open_search(claim=taken, places=1)
    return job


def once_a_trial_runs(tenant: Tenant, job: TrainingJob, act: Callable[[], object]) -> threading.Thread:
    """Act from another thread once a trial of the job has begun."""

    def wait_and_act() -> None:
        with tenant_scope(tenant):
            deadline = time.monotonic() + 120
            while not job.trials.exists() and time.monotonic() < deadline:
                time.sleep(0.05)
            act()
        connection.close()

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def test_a_helper_in_a_fit_that_never_ends_is_gone_two_seconds_after_the_cancel(
    start: Train, tenant: Tenant
) -> None:
    job = opened(start(algorithms=["hang", "dummy"], workers=2))
    asked: list[float] = []

    def cancel() -> None:
        request_cancel(job=job, by=SYSTEM)
        asked.append(time.monotonic())

    thread = once_a_trial_runs(tenant, job, cancel)
    help_once(job)
    assert time.monotonic() - asked[0] < 2
    thread.join()
    assert [trial.state for trial in job.trials.all()] == [TrialState.WAITING]
    assert not SearchHelper.objects.filter(ended_at=None).exists()
    trainers.shelf.clear()


def test_a_trial_that_kills_its_helpers_is_tried_twice_and_the_others_are_made(start: Train) -> None:
    job = opened(start(algorithms=["die", "dummy"], workers=2))
    help_once(job)
    lost = job.trials.get(algorithm="die")
    assert (lost.state, lost.losses) == (TrialState.WAITING, 1)
    assert job.log.filter(message__contains="signal SIGSEGV").exists()
    help_once(job)
    help_once(job)
    lost.refresh_from_db()
    assert (lost.state, lost.losses) == (TrialState.FAILED, 2)
    assert job.trials.get(algorithm="dummy").state == TrialState.COMPLETE
    assert find_job(job.pk).state == JobState.RUNNING
    trainers.shelf.clear()
