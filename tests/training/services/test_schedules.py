"""Schedules own a row of the scheduler, and do their work when it fires."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask
from django_celery_beat.schedulers import ModelEntry

from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from registry.models import RegisteredModel
from tests.factories import make_model, make_version
from training.errors import InvalidSchedule, ScheduleExists, ScheduleNotFound
from training.models import RetrainingSchedule, TrainingJob
from training.services.schedules import (
    create_schedule,
    delete_schedule,
    find_schedule,
    fire,
    next_runs,
    pause_schedule,
    resume_schedule,
    run_now,
    update_schedule,
)

pytestmark = pytest.mark.usefixtures("in_tenant")


def make_schedule(model: RegisteredModel | None = None, **changes: Any) -> RetrainingSchedule:
    settings: dict[str, Any] = {"name": "nightly", "cron": "0 3 * * *", **changes}
    return create_schedule(model=model or make_model(), by=SYSTEM, **settings)


def task_of(schedule: RetrainingSchedule) -> PeriodicTask:
    """The scheduler's row as it is stored."""
    return PeriodicTask.objects.get(pk=schedule.periodic_task_id)


class TestOwnership:
    def test_it_owns_a_task_whose_arguments_nobody_chose(self, tenant: Tenant) -> None:
        schedule = make_schedule()
        task = task_of(schedule)
        assert (task.task, task.enabled) == ("training.fire_schedule", True)
        assert json.loads(task.kwargs) == {"schedule_id": schedule.pk, "tenant_id": tenant.pk}
        assert str(task.crontab.hour) == "3"

    def test_two_schedules_share_no_times(self) -> None:
        first, second = make_schedule(), make_schedule(make_model("other"), name="also nightly")
        assert task_of(first).crontab_id != task_of(second).crontab_id

    def test_changed_times_reach_the_scheduler_and_leave_nothing_behind(self) -> None:
        schedule = make_schedule()
        update_schedule(
            schedule=schedule, changes={"kind": "interval", "every": 2, "unit": "hours"}, by=SYSTEM
        )
        schedule = find_schedule(schedule.pk)
        assert (schedule.cron, schedule.every) == ("", 2)
        assert task_of(schedule).interval.every == 2
        assert PeriodicTask.objects.filter(task="training.fire_schedule").count() == 1
        assert (CrontabSchedule.objects.count(), IntervalSchedule.objects.count()) == (0, 1)

    def test_deleting_removes_it_from_the_scheduler(self) -> None:
        delete_schedule(schedule=make_schedule(), by=SYSTEM)
        assert not PeriodicTask.objects.filter(task="training.fire_schedule").exists()
        assert not CrontabSchedule.objects.exists()
        assert AuditEvent.objects.filter(action="schedule.deleted").exists()

    def test_pausing_and_resuming_switch_the_scheduler(self) -> None:
        schedule = pause_schedule(schedule=make_schedule(), by=SYSTEM)
        assert not task_of(schedule).enabled
        assert next_runs(schedule) == []
        resume_schedule(schedule=schedule, by=SYSTEM)
        assert task_of(schedule).enabled

    def test_a_taken_name_and_an_empty_one_are_refused(self) -> None:
        schedule = make_schedule()
        with pytest.raises(ScheduleExists, match="Choose another name"):
            make_schedule(schedule.model)
        with pytest.raises(InvalidSchedule, match="a name"):
            make_schedule(schedule.model, name=" ")

    def test_only_its_own_settings_can_be_changed(self) -> None:
        with pytest.raises(InvalidSchedule, match="cannot be changed: periodic_task"):
            update_schedule(schedule=make_schedule(), changes={"periodic_task": 1}, by=SYSTEM)

    def test_a_change_builds_on_one_made_meanwhile(self) -> None:
        schedule = make_schedule()
        seen_before = find_schedule(schedule.pk)
        update_schedule(schedule=schedule, changes={"cron": "0 4 * * *"}, by=SYSTEM)
        update_schedule(schedule=seen_before, changes={"name": "early"}, by=SYSTEM)
        now = find_schedule(schedule.pk)
        assert (now.name, now.cron) == ("early", "0 4 * * *")
        assert PeriodicTask.objects.filter(task="training.fire_schedule").count() == 1
        assert CrontabSchedule.objects.count() == 1

    @pytest.mark.parametrize("change", [pause_schedule, resume_schedule, delete_schedule])
    def test_one_deleted_meanwhile_cannot_be_changed(self, change: Callable[..., object]) -> None:
        schedule = make_schedule()
        delete_schedule(schedule=find_schedule(schedule.pk), by=SYSTEM)
        with pytest.raises(ScheduleNotFound, match="deleted meanwhile"):
            change(schedule=schedule, by=SYSTEM)

    def test_a_paused_one_stays_paused_when_its_times_change(self) -> None:
        schedule = pause_schedule(schedule=make_schedule(), by=SYSTEM)
        changed = update_schedule(schedule=schedule, changes={"cron": "0 4 * * *"}, by=SYSTEM)
        assert not task_of(changed).enabled
        assert next_runs(changed) == []

    def test_an_unknown_one_is_not_found(self) -> None:
        with pytest.raises(ScheduleNotFound):
            find_schedule(4711)


class TestNextRuns:
    def test_cron(self) -> None:
        runs = next_runs(make_schedule(), 2, now=datetime(2026, 3, 1, 12, tzinfo=UTC))
        assert runs == [datetime(2026, 3, 2, 3, tzinfo=UTC), datetime(2026, 3, 3, 3, tzinfo=UTC)]

    def test_interval(self) -> None:
        schedule = make_schedule(kind="interval", every=90, unit="minutes")
        first, second = next_runs(schedule, 2)
        assert second - first == timedelta(minutes=90)
        assert timedelta(minutes=89) < first - timezone.now() < timedelta(minutes=91)

    @pytest.mark.parametrize(
        "times", [{"cron": "0 3 * * *"}, {"kind": "interval", "every": 90, "unit": "minutes"}]
    )
    def test_what_is_shown_is_what_the_scheduler_does(self, times: dict[str, Any]) -> None:
        schedule = make_schedule(**times)
        shown = next_runs(schedule)[0]
        entry = ModelEntry(task_of(schedule), app=app)
        due, seconds = entry.is_due()
        assert not due
        assert abs(timezone.now() + timedelta(seconds=seconds) - shown) < timedelta(seconds=2)

    def test_the_scheduler_finds_it_due_when_its_time_has_passed(self) -> None:
        task = task_of(make_schedule(cron="* * * * *"))
        task.last_run_at = timezone.now() - timedelta(minutes=2)
        assert ModelEntry(task, app=app).is_due().is_due


class TestFiring:
    def test_it_retrains_with_the_settings_of_the_newest_job(self) -> None:
        version = make_version()
        before = TrainingJob.objects.create(
            model=version.model, dataset=version.dataset, state="succeeded", config={"folds": 3, "seed": 7}
        )
        job = fire(schedule_id=make_schedule(version.model).pk, now=timezone.now())
        assert job is not None
        assert (job.trigger, job.dataset, job.config["seed"]) == ("schedule", version.dataset, 7)
        assert job.pk > before.pk
        assert job.created_by == "schedule nightly"

    def test_the_settings_of_a_job_that_made_no_version_are_passed_over(self) -> None:
        version = make_version()
        data = {"model": version.model, "dataset": version.dataset}
        TrainingJob.objects.create(**data, version=version, state="succeeded", config={"seed": 7})
        TrainingJob.objects.create(**data, state="failed", config={"seed": 8})
        job = fire(schedule_id=make_schedule(version.model).pk, now=timezone.now())
        assert job is not None
        assert job.config["seed"] == 7

    def test_the_same_time_sent_twice_makes_one_job(self) -> None:
        schedule, now = make_schedule(make_version().model), timezone.now()
        assert fire(schedule_id=schedule.pk, now=now) is not None
        assert fire(schedule_id=schedule.pk, now=now + timedelta(seconds=5)) is None
        assert TrainingJob.objects.count() == 1
        assert find_schedule(schedule.pk).last_result.startswith("Started job")

    def test_a_job_that_is_active_is_not_doubled_and_the_reason_is_shown(self) -> None:
        schedule, now = make_schedule(make_version().model), timezone.now()
        fire(schedule_id=schedule.pk, now=now)
        assert fire(schedule_id=schedule.pk, now=now + timedelta(minutes=5)) is None
        assert "active already" in find_schedule(schedule.pk).last_result

    def test_a_model_that_was_never_trained_says_so(self) -> None:
        schedule = make_schedule()
        assert fire(schedule_id=schedule.pk, now=timezone.now()) is None
        assert "Train it on a dataset first" in find_schedule(schedule.pk).last_result

    def test_a_paused_or_deleted_one_does_nothing(self) -> None:
        schedule = pause_schedule(schedule=make_schedule(make_version().model), by=SYSTEM)
        assert fire(schedule_id=schedule.pk, now=timezone.now()) is None
        assert fire(schedule_id=4711, now=timezone.now()) is None
        assert not TrainingJob.objects.exists()

    def test_running_by_hand_works_while_paused(self) -> None:
        schedule = pause_schedule(schedule=make_schedule(make_version().model), by=SYSTEM)
        job = run_now(schedule=schedule, by=SYSTEM)
        assert find_schedule(schedule.pk).last_result == f"Started job {job.pk} by hand."
