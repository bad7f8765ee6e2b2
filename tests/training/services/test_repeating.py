"""Training once more: retries, clones, retraining of many models, and whose turn it is."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from tests.factories import make_dataset, make_model, make_version, table
from tests.training.conftest import QUICK, MakeJob
from training.errors import InvalidConfig, JobActive, JobEnded
from training.models import JobState, TrainingJob
from training.services.jobs import create_job, find_job, request_cancel, set_priority
from training.services.repeating import Changes, clone_job, retrain_models, retry_job
from training.services.turns import next_turn

pytestmark = pytest.mark.usefixtures("in_tenant")


def test_a_retry_has_the_same_data_settings_and_priority(make_job: MakeJob) -> None:
    job = make_job(seed=7)
    set_priority(job=job, priority="low", by=SYSTEM)
    with pytest.raises(JobActive, match="has not ended"):
        retry_job(job=job, by=SYSTEM)
    request_cancel(job=job, by=SYSTEM)
    again = retry_job(job=job, by=SYSTEM)
    assert again.pk != job.pk
    assert (again.config, again.dataset, again.priority) == (job.config, job.dataset, "low")
    assert again.log.get().message == f"The same as job {job.pk}, once more."


def test_a_clone_differs_only_in_what_was_asked(make_job: MakeJob) -> None:
    job = make_job(seed=7)
    data = make_dataset(frame=table().head(300))
    clone = clone_job(job=job, changes=Changes(dataset=data, priority="high", config={"folds": 4}), by=SYSTEM)
    assert clone.config == {**job.config, "folds": 4}
    assert (clone.dataset, clone.priority) == (data, "high")
    with pytest.raises(InvalidConfig, match="folds must be"):
        clone_job(job=job, changes=Changes(config={"folds": 1}), by=SYSTEM)


def test_each_model_is_retrained_or_told_why_not() -> None:
    trained, untrained = make_version().model, make_model("new")
    done = retrain_models(models=[trained, untrained], by=SYSTEM, priority="low")
    assert [one.model for one in done] == [trained, untrained]
    assert done[0].job is not None
    assert (done[0].job.state, done[0].job.priority) == (JobState.QUEUED, "low")
    assert done[1].job is None
    assert "has no version yet" in done[1].reason


def test_the_most_urgent_job_comes_first_and_of_equals_the_oldest(make_job: MakeJob) -> None:
    first = make_job()
    urgent = create_job(model=make_model("b"), dataset=first.dataset, by=SYSTEM, priority="high")
    later = create_job(model=make_model("c"), dataset=first.dataset, by=SYSTEM, priority="high")
    set_priority(job=first, priority="low", by=SYSTEM)
    assert AuditEvent.objects.filter(action="job.reprioritised", before={"priority": "normal"}).exists()
    order = []
    while turn := next_turn():
        order.append(turn[1])
        TrainingJob.objects.filter(pk=turn[1]).update(state=JobState.CANCELLED)
    assert order == [urgent.pk, later.pk, first.pk]


def test_the_priority_of_a_job_that_waits_no_more_stays(make_job: MakeJob) -> None:
    job = make_job()
    with pytest.raises(InvalidConfig, match="is no priority"):
        set_priority(job=job, priority="urgent", by=SYSTEM)
    request_cancel(job=job, by=SYSTEM)
    with pytest.raises(JobEnded, match="waits no more"):
        set_priority(job=job, priority="high", by=SYSTEM)


def test_the_time_left_follows_from_what_is_done(make_job: MakeJob) -> None:
    job = make_job()
    assert job.seconds_left is None
    started = timezone.now() - timedelta(seconds=60)
    TrainingJob.objects.filter(pk=job.pk).update(state=JobState.RUNNING, started_at=started, progress=25)
    assert find_job(job.pk).seconds_left == pytest.approx(180, abs=5)
    TrainingJob.objects.filter(pk=job.pk).update(progress=2)
    assert find_job(job.pk).seconds_left is None


def test_limits_are_the_platforms_or_less(make_job: MakeJob) -> None:
    job = make_job(limits={"minutes": 1})
    assert job.config["limits"] == {"minutes": 1, "memory_mb": None, "cpus": None}
    for wrong in ({"minutes": 10_000}, {"minutes": 0}, {"gpus": 1}, "all"):
        with pytest.raises(InvalidConfig):
            create_job(model=job.model, dataset=job.dataset, by=SYSTEM, config=QUICK | {"limits": wrong})
