"""Nothing is lost: a job without a worker or a message is found."""

from datetime import timedelta

import pytest
from django.conf import settings
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.training.conftest import MakeJob
from training.models import JobState, TrainingJob
from training.services.claims import Claim, claim, finish
from training.services.jobs import find_job, request_cancel
from training.services.sweeping import sweep

pytestmark = pytest.mark.usefixtures("in_tenant")
LATER = timedelta(seconds=settings.TRAINING_LEASE_SECONDS + 1)


def claimed(job: TrainingJob) -> Claim:
    taken = claim(job_id=job.pk)
    assert taken is not None
    return taken


def test_a_lost_job_runs_again_once_and_then_fails(make_job: MakeJob) -> None:
    job = make_job()
    for attempt in range(1, settings.TRAINING_MAX_ATTEMPTS):
        claimed(job)
        assert sweep(timezone.now() + LATER) == [job]
        again = find_job(job.pk)
        assert (again.state, again.attempt, again.claim_token) == (JobState.QUEUED, attempt, None)
    claimed(job)
    assert sweep(timezone.now() + LATER) == []
    ended = find_job(job.pk)
    assert (ended.state, ended.error_code) == (JobState.FAILED, "worker_lost")
    assert "start a new job" in ended.error
    assert ended.finished_at is not None


def test_the_lost_workers_result_is_refused(make_job: MakeJob) -> None:
    job = make_job()
    zombie = claimed(job)
    sweep(timezone.now() + LATER)
    assert not finish(claim=zombie, state=JobState.SUCCEEDED)
    assert find_job(job.pk).state == JobState.QUEUED


def test_a_job_with_a_fresh_heartbeat_is_left_alone(make_job: MakeJob) -> None:
    job = make_job()
    claimed(job)
    assert sweep(timezone.now()) == []
    assert find_job(job.pk).state == JobState.RUNNING


def test_two_sweeps_give_a_job_back_once(make_job: MakeJob) -> None:
    job = make_job()
    claimed(job)
    moment = timezone.now() + LATER
    assert len(sweep(moment)) == 1
    assert sweep(moment) == []
    assert AuditEvent.objects.filter(action="job.requeued").count() == 1


def test_a_lost_job_that_was_to_be_cancelled_is_cancelled(make_job: MakeJob) -> None:
    job = make_job()
    claimed(job)
    request_cancel(job=job, by=SYSTEM)
    assert sweep(timezone.now() + LATER) == []
    assert find_job(job.pk).state == JobState.CANCELLED


def test_a_lost_message_is_sent_again_but_not_at_every_sweep(make_job: MakeJob) -> None:
    job = make_job()
    now = timezone.now()
    assert sweep(now + timedelta(seconds=1)) == []
    assert sweep(now + timedelta(seconds=15)) == [job]
    assert sweep(now + timedelta(seconds=30)) == []
    assert sweep(now + timedelta(seconds=90)) == [job]


def test_the_log_tells_what_happened(make_job: MakeJob) -> None:
    job = make_job()
    claimed(job)
    sweep(timezone.now() + LATER)
    assert [line.level for line in job.log.all()] == ["warning"]


def test_a_sweep_sees_its_own_tenant_only(make_job: MakeJob, other_tenant: Tenant) -> None:
    claimed(make_job())
    with tenant_scope(other_tenant):
        assert sweep(timezone.now() + LATER) == []
