"""The thread that renews a claim while a long fit keeps the worker busy."""

import time
from collections.abc import Callable

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.factories import make_dataset, make_model
from tests.training.conftest import QUICK
from training.errors import TrainingFailed
from training.models import JobState, TrainingJob
from training.services.claims import Claim, ClaimLost, JobCancelled, claim
from training.services.heartbeats import Heartbeat
from training.services.jobs import create_job, find_job, request_cancel

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def taken(transactional_db: None, tenant: Tenant, settings: object) -> Claim:
    """A claimed job whose heart beats fast."""
    settings.TRAINING_HEARTBEAT_SECONDS = 0.05  # type: ignore[attr-defined]  # pytest-django's wrapper
    with tenant_scope(tenant):
        job = create_job(model=make_model(), dataset=make_dataset(), config=QUICK, by=SYSTEM)
        made = claim(job_id=job.pk)
    assert made is not None
    return made


def wait_for(met: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not met():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_lease_is_renewed_while_the_worker_is_busy(taken: Claim, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        before = find_job(taken.job_id).heartbeat_at
        with Heartbeat(taken, seconds=60):
            wait_for(lambda: find_job(taken.job_id).heartbeat_at != before)
        after = find_job(taken.job_id).heartbeat_at
        time.sleep(0.2)
        assert find_job(taken.job_id).heartbeat_at == after


def test_a_lost_claim_is_noticed(taken: Claim, tenant: Tenant) -> None:
    with tenant_scope(tenant), Heartbeat(taken, seconds=60) as heartbeat:
        heartbeat.check()
        TrainingJob.objects.filter(pk=taken.job_id).update(state=JobState.QUEUED, claim_token=None)
        with pytest.raises(ClaimLost):
            heartbeat.check()


def test_a_cancel_is_noticed(taken: Claim, tenant: Tenant) -> None:
    with tenant_scope(tenant), Heartbeat(taken, seconds=60) as heartbeat:
        request_cancel(job=find_job(taken.job_id), by=SYSTEM)
        with pytest.raises(JobCancelled):
            heartbeat.check()


def test_time_that_is_up_is_noticed(taken: Claim, tenant: Tenant) -> None:
    with (
        tenant_scope(tenant),
        Heartbeat(taken, seconds=0) as heartbeat,
        pytest.raises(TrainingFailed, match="longer than"),
    ):
        heartbeat.check()
