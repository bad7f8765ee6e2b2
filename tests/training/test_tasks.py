"""Messages: sent after the commit, doubled without harm, lost without loss."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.tasks import MissingTenantError
from registry.models import ModelVersion
from tests.factories import make_dataset, make_model, make_version
from tests.training.conftest import QUICK, MakeJob
from training.models import JobState, TrainingJob
from training.services.claims import claim
from training.services.jobs import find_job
from training.services.schedules import create_schedule
from training.tasks import fire_schedule, run_job, submit_job, submit_schedule, sweep_jobs

pytestmark = pytest.mark.usefixtures("in_tenant", "worker_at_once")
Capture = Callable[..., AbstractContextManager[list[Callable[[], Any]]]]


def test_tasks_have_fixed_names_and_queues() -> None:
    for name in ("training.run_job", "training.sweep_jobs", "training.fire_schedule"):
        assert name in app.tasks
        assert app.amqp.router.route({}, name)["queue"].name == "training"


def test_a_submitted_job_is_sent_after_the_commit_and_runs(
    django_capture_on_commit_callbacks: Capture,
) -> None:
    with django_capture_on_commit_callbacks(execute=True):
        job = submit_job(model=make_model(), dataset=make_dataset(), config=QUICK, by=SYSTEM)
        assert find_job(job.pk).state == JobState.QUEUED
    assert find_job(job.pk).state == JobState.SUCCEEDED


def test_a_doubled_message_runs_the_job_once(make_job: MakeJob, tenant: Tenant) -> None:
    job = make_job()
    run_job(job.pk, tenant_id=tenant.pk)
    run_job(job.pk, tenant_id=tenant.pk)
    assert find_job(job.pk).attempt == 1
    assert ModelVersion.objects.count() == 1


def test_a_message_without_a_tenant_is_refused(make_job: MakeJob) -> None:
    with pytest.raises(MissingTenantError):
        run_job.delay(make_job().pk)


def test_a_lost_message_is_sent_again_by_the_sweep(
    make_job: MakeJob, django_capture_on_commit_callbacks: Capture
) -> None:
    job = make_job()
    TrainingJob.objects.filter(pk=job.pk).update(created_at=timezone.now() - timedelta(minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert sweep_jobs() == 1
    assert find_job(job.pk).state == JobState.SUCCEEDED


def test_a_lost_worker_is_noticed_and_the_job_runs_again(
    make_job: MakeJob, django_capture_on_commit_callbacks: Capture
) -> None:
    job = make_job()
    claim(job_id=job.pk)
    TrainingJob.objects.filter(pk=job.pk).update(heartbeat_at=timezone.now() - timedelta(hours=1))
    with django_capture_on_commit_callbacks(execute=True):
        sweep_jobs()
    job = find_job(job.pk)
    assert (job.state, job.attempt) == (JobState.SUCCEEDED, 2)


def test_a_schedule_that_fires_trains_a_version(
    tenant: Tenant, django_capture_on_commit_callbacks: Capture
) -> None:
    model = make_version().model
    schedule = create_schedule(model=model, name="nightly", cron="0 3 * * *", by=SYSTEM)
    TrainingJob.objects.create(model=model, dataset=make_dataset(), state="cancelled", config=QUICK)
    with django_capture_on_commit_callbacks(execute=True):
        fire_schedule(schedule.pk, tenant_id=tenant.pk)
    assert [version.number for version in ModelVersion.objects.order_by("number")] == [1, 2]


def test_a_schedule_runs_by_hand(django_capture_on_commit_callbacks: Capture) -> None:
    model = make_version().model
    schedule = create_schedule(model=model, name="nightly", cron="0 3 * * *", by=SYSTEM)
    TrainingJob.objects.create(model=model, dataset=make_dataset(), state="cancelled", config=QUICK)
    with django_capture_on_commit_callbacks(execute=True):
        job = submit_schedule(schedule=schedule, by=SYSTEM)
    assert find_job(job.pk).state == JobState.SUCCEEDED
