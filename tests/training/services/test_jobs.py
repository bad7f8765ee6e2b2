"""Jobs as people make and cancel them."""

import pytest
from django.db import IntegrityError

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from mlplatform.tenancy.scope import tenant_transaction
from tests.factories import make_dataset, make_model, table
from tests.training.conftest import QUICK, MakeJob
from training.errors import InvalidConfig, JobActive, JobEnded, JobNotFound, UnusableData
from training.models import JobState
from training.services.claims import claim, finish
from training.services.jobs import active_jobs, create_job, find_job, request_cancel

pytestmark = pytest.mark.usefixtures("in_tenant")


def test_a_job_waits_with_its_full_settings_and_an_audit_row(make_job: MakeJob) -> None:
    job = make_job()
    assert (job.state, job.attempt) == (JobState.QUEUED, 0)
    assert job.config["folds"] == 2
    assert job.config["algorithms"][0]["params"]["C"] == 1.0
    event = AuditEvent.objects.get(action="job.created")
    assert event.object_id == str(job.pk)


def test_a_second_job_for_model_and_dataset_is_refused_while_one_is_active(make_job: MakeJob) -> None:
    job = make_job()
    with pytest.raises(JobActive, match="Wait for it to end, or cancel it"):
        make_job(job.model)
    request_cancel(job=job, by=SYSTEM)
    assert make_job(job.model).pk != job.pk


def test_another_dataset_may_be_trained_on_meanwhile(make_job: MakeJob) -> None:
    job = make_job()
    other = create_job(
        model=job.model, dataset=make_dataset(frame=table().head(300)), by=SYSTEM, config=QUICK
    )
    assert active_jobs(job.model) == [other, job]


def test_the_database_itself_refuses_a_second_active_job(make_job: MakeJob) -> None:
    job = make_job()
    job.pk = None
    job._state.adding = True
    with pytest.raises(IntegrityError), tenant_transaction():
        job.save(force_insert=True)


def test_an_unknown_trigger_is_refused() -> None:
    with pytest.raises(InvalidConfig, match="no trigger"):
        create_job(model=make_model(), dataset=make_dataset(), by=SYSTEM, trigger="magic")


def test_a_target_that_is_no_column_is_refused_at_once() -> None:
    frame = table().rename(columns={"diagnosis": "verdict"})
    with pytest.raises(UnusableData, match="has no column 'diagnosis'"):
        create_job(model=make_model(), dataset=make_dataset(frame=frame), by=SYSTEM)


def test_a_target_with_one_class_is_refused_at_once() -> None:
    with pytest.raises(UnusableData, match=r"one value only.* Add rows with other outcomes"):
        create_job(
            model=make_model(), dataset=make_dataset(frame=table().assign(diagnosis="benign")), by=SYSTEM
        )


def test_words_as_the_target_of_a_regression_are_refused_at_once() -> None:
    model, frame = make_model(data="diabetes"), table().rename(columns={"diagnosis": "progression"})
    with pytest.raises(UnusableData, match="Choose a numeric column"):
        create_job(model=model, dataset=make_dataset(frame=frame), by=SYSTEM)


def test_a_waiting_job_is_cancelled_at_once_and_never_claimed(make_job: MakeJob) -> None:
    job = request_cancel(job=make_job(), by=SYSTEM)
    assert job.state == JobState.CANCELLED
    assert job.finished_at is not None
    assert claim(job_id=job.pk) is None


def test_a_running_job_is_asked_to_stop(make_job: MakeJob) -> None:
    job = make_job()
    claim(job_id=job.pk)
    job = request_cancel(job=job, by=SYSTEM)
    assert (job.state, job.cancel_requested) == (JobState.RUNNING, True)


def test_an_ended_job_cannot_be_cancelled(make_job: MakeJob) -> None:
    job = make_job()
    taken = claim(job_id=job.pk)
    assert taken is not None
    finish(claim=taken, state=JobState.FAILED, error_code="x", error="It broke.")
    with pytest.raises(JobEnded, match=r"has ended \(failed\)"):
        request_cancel(job=job, by=SYSTEM)


def test_an_unknown_job_is_not_found() -> None:
    with pytest.raises(JobNotFound):
        find_job(4711)
