"""Of many workers one does the job, and a worker that lost it writes nothing."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from tests.training.conftest import MakeJob
from training.models import JobState, Trial
from training.services.claims import ClaimLost, JobCancelled, beat, claim, demand, finish, update
from training.services.jobs import find_job, request_cancel

pytestmark = pytest.mark.usefixtures("in_tenant")


def test_of_two_messages_one_gets_the_job(make_job: MakeJob) -> None:
    job = make_job()
    assert claim(job_id=job.pk) is not None
    assert claim(job_id=job.pk) is None
    assert find_job(job.pk).attempt == 1


def test_a_message_for_no_job_does_nothing() -> None:
    assert claim(job_id=4711) is None


def test_a_new_attempt_starts_with_an_empty_leaderboard(make_job: MakeJob) -> None:
    job = make_job()
    Trial.objects.create(job=job, algorithm="knn", metric="f1")
    claim(job_id=job.pk)
    assert not job.trials.exists()


def test_a_heartbeat_renews_the_lease_and_hears_of_a_cancel(make_job: MakeJob) -> None:
    job = make_job()
    taken = claim(job_id=job.pk)
    assert taken is not None
    before = find_job(job.pk).heartbeat_at
    assert (beat(claim=taken).held, beat(claim=taken).cancel) == (True, False)
    assert find_job(job.pk).heartbeat_at > before  # type: ignore[operator]  # claimed, so it is set
    request_cancel(job=job, by=SYSTEM)
    assert beat(claim=taken).cancel
    with pytest.raises(JobCancelled):
        demand(taken)


def test_a_zombie_changes_nothing(make_job: MakeJob) -> None:
    job = make_job()
    zombie = claim(job_id=job.pk)
    assert zombie is not None
    type(job).objects.filter(pk=job.pk).update(state=JobState.QUEUED, claim_token=None)
    successor = claim(job_id=job.pk)
    assert successor is not None
    assert not beat(claim=zombie).held
    assert not update(zombie, progress=99)
    assert not finish(claim=zombie, state=JobState.SUCCEEDED)
    with pytest.raises(ClaimLost):
        demand(zombie)
    assert find_job(job.pk).state == JobState.RUNNING
    assert finish(claim=successor, state=JobState.SUCCEEDED)


def test_a_job_ends_once(make_job: MakeJob) -> None:
    job = make_job()
    taken = claim(job_id=job.pk)
    assert taken is not None
    assert finish(claim=taken, state=JobState.FAILED, error_code="first", error="First.")
    assert not finish(claim=taken, state=JobState.ERRORED, error_code="second", error="Second.")
    assert find_job(job.pk).error_code == "first"


def test_a_job_that_is_to_be_cancelled_cannot_succeed(make_job: MakeJob) -> None:
    job = make_job()
    taken = claim(job_id=job.pk)
    assert taken is not None
    request_cancel(job=job, by=SYSTEM)
    assert not finish(claim=taken, state=JobState.SUCCEEDED)
    assert finish(claim=taken, state=JobState.CANCELLED)
