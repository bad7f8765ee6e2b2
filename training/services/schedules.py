"""Retraining schedules. Each owns one private PeriodicTask, whose task and arguments nobody can choose."""

import json
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError
from django.db.models import Q, QuerySet
from django.utils import timezone as clock
from django_celery_beat.models import PeriodicTask

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from registry.models import RegisteredModel
from training.errors import InvalidSchedule, ScheduleExists, ScheduleNotFound
from training.models import DataSource, OnSourceFailure, RetrainingSchedule, TrainingJob
from training.models.job import Trigger
from training.services.fresh_data import check_source
from training.services.jobs import create_job, newest_config
from training.services.repeating import retrain
from training.services.schedule_times import Timing, upcoming

FIRE_TASK = "training.fire_schedule"
TIMES = ("kind", "cron", "every", "unit", "timezone")
EDITABLE = ("name", *TIMES, "source", "on_source_failure")
# Times are at least a minute apart: two messages closer than this are one time, sent twice.
SAME_TIME = timedelta(seconds=30)


def create_schedule(
    *,
    model: RegisteredModel,
    name: str,
    by: Actor,
    kind: str = "cron",
    cron: str = "",
    every: int | None = None,
    unit: str = "",
    timezone: str = "UTC",
    source: DataSource | None = None,
    on_source_failure: str = OnSourceFailure.FAIL,
) -> RetrainingSchedule:
    """Retrain the model at these times from now on, on what the source gives, else on its known outcomes.

    Raises InvalidSchedule, ScheduleExists, or NoSnapshot for a source that was never read.
    """
    timing = Timing(kind, cron, every, unit, timezone).check()
    check_source(source, on_source_failure)
    with tenant_transaction():
        schedule = RetrainingSchedule(
            model=model,
            name=_checked_name(name),
            created_by=str(by)[:200],
            source=source,
            on_source_failure=on_source_failure,
            **_columns(timing),
        )
        schedule.clean()
        _save(schedule)
        schedule.periodic_task = _make_task(schedule, timing)
        schedule.save(update_fields=["periodic_task"])
        record(by=by, action="schedule.created", target=schedule, after=fields_of(schedule, "created_at"))
    return schedule


def update_schedule(
    *, schedule: RetrainingSchedule, changes: dict[str, Any], by: Actor
) -> RetrainingSchedule:
    """Change name, times or source (any of ``EDITABLE``); what is left out stays.

    A source of None is taken off. The next run follows from the new times. Raises InvalidSchedule,
    ScheduleExists or NoSnapshot.
    """
    unknown = sorted(set(changes) - set(EDITABLE))
    if unknown:
        raise InvalidSchedule(f"These cannot be changed: {', '.join(unknown)}. Known: {', '.join(EDITABLE)}.")
    with tenant_transaction():
        schedule = _locked(schedule)
        before = _told(schedule)
        wanted = {**{name: getattr(schedule, name) for name in EDITABLE}, **changes}
        timing = Timing(**{name: wanted[name] for name in TIMES}).check()
        check_source(wanted["source"], wanted["on_source_failure"])
        new = {**wanted, "name": _checked_name(wanted["name"]), **_columns(timing)}
        for column, value in new.items():
            setattr(schedule, column, value)
        schedule.clean()
        old = schedule.periodic_task
        _save(schedule)
        _delete_task(old)
        schedule.periodic_task = _make_task(schedule, timing)
        schedule.save(update_fields=["periodic_task"])
        record(by=by, action="schedule.updated", target=schedule, before=before, after=_told(schedule))
    return schedule


def pause_schedule(*, schedule: RetrainingSchedule, by: Actor) -> RetrainingSchedule:
    """Stop firing until resumed; a job that runs already goes on."""
    return _switch(schedule, enabled=False, action="schedule.paused", by=by)


def resume_schedule(*, schedule: RetrainingSchedule, by: Actor) -> RetrainingSchedule:
    """Fire again from now on; times that passed in between are not made up for."""
    return _switch(schedule, enabled=True, action="schedule.resumed", by=by)


def delete_schedule(*, schedule: RetrainingSchedule, by: Actor) -> None:
    """Remove the schedule and what the scheduler knows of it."""
    with tenant_transaction():
        schedule = _locked(schedule)
        record(by=by, action="schedule.deleted", target=schedule, before=fields_of(schedule))
        task = schedule.periodic_task
        schedule.delete()
        _delete_task(task)


def run_now(*, schedule: RetrainingSchedule, by: Actor) -> TrainingJob:
    """Retrain at once, whatever the times say; send it with ``tasks.submit_schedule``.

    Raises what ``create_job`` and ``retraining_dataset`` raise.
    """
    job = _retrain(schedule, by)
    with tenant_transaction():
        _note(schedule, f"Started job {job.pk} by hand.")
        record(by=by, action="schedule.run", target=schedule, job=job.pk)
    return job


def fire(*, schedule_id: int, now: datetime) -> TrainingJob | None:
    """Do what the schedule is for, because its time came; None where there is nothing to run.

    The same time sent twice makes one job. Why nothing ran stands in ``last_result``.
    """
    with tenant_transaction():
        due = RetrainingSchedule.objects.filter(pk=schedule_id, enabled=True).filter(
            Q(last_fired_at=None) | Q(last_fired_at__lt=now - SAME_TIME)
        )
        if not due.update(last_fired_at=now):
            return None
        schedule = RetrainingSchedule.objects.select_related("model").get(pk=schedule_id)
    try:
        job = _retrain(schedule, Actor(ActorKind.SCHEDULE, schedule.name, schedule.pk))
    except PlatformError as error:
        with tenant_transaction():
            _note(schedule, f"Did not run: {error.detail}")
        return None
    with tenant_transaction():
        _note(schedule, f"Started job {job.pk}.")
    return job


def next_runs(schedule: RetrainingSchedule, n: int = 5, now: datetime | None = None) -> list[datetime]:
    """Return the next ``n`` times (UTC) at which the scheduler will fire; none while it is paused."""
    if not schedule.enabled or schedule.periodic_task is None:
        return []
    return upcoming(schedule.periodic_task, n, now or clock.now())


def find_schedule(pk: int) -> RetrainingSchedule:
    """Return the schedule with its model; raises ScheduleNotFound."""
    schedule = schedules_overview().filter(pk=pk).first()
    if schedule is None:
        raise ScheduleNotFound(f"There is no schedule {pk}.")
    return schedule


def schedules_overview() -> QuerySet[RetrainingSchedule]:
    """Return the schedules with all that their next runs follow from."""
    return RetrainingSchedule.objects.select_related(
        "model", "source", "periodic_task__crontab", "periodic_task__interval"
    )


def _locked(schedule: RetrainingSchedule) -> RetrainingSchedule:
    """Return the row as it stands now, locked: of two changes at once the second builds on the first."""
    found = schedules_overview().select_for_update(of=("self",)).filter(pk=schedule.pk).first()
    if found is None:
        raise ScheduleNotFound(f"Schedule {schedule.name!r} was deleted meanwhile. Make a new one.")
    return found


def _retrain(schedule: RetrainingSchedule, by: Actor) -> TrainingJob:
    with tenant_transaction():
        config, source = newest_config(schedule.model), schedule.source
    if source is None:
        return retrain(model=schedule.model, by=by, trigger=Trigger.SCHEDULE)
    return create_job(
        model=schedule.model,
        source=source,
        on_source_failure=schedule.on_source_failure,
        by=by,
        config=config,
        trigger=Trigger.SCHEDULE,
    )


def _told(schedule: RetrainingSchedule) -> dict[str, Any]:
    """Return what people may change, for the trail."""
    fields = {name: getattr(schedule, name) for name in EDITABLE if name != "source"}
    return {**fields, "source_id": schedule.source_id}


def _note(schedule: RetrainingSchedule, result: str) -> None:
    RetrainingSchedule.objects.filter(pk=schedule.pk).update(last_result=result[:300])
    schedule.last_result = result[:300]


def _switch(schedule: RetrainingSchedule, *, enabled: bool, action: str, by: Actor) -> RetrainingSchedule:
    with tenant_transaction():
        schedule = _locked(schedule)
        before = {"enabled": schedule.enabled}
        schedule.enabled = enabled
        if schedule.periodic_task is not None:
            schedule.periodic_task.enabled = enabled
            schedule.periodic_task.save()
        elif enabled:  # it came with an imported tenant, and the scheduler does not know it yet
            schedule.periodic_task = _make_task(
                schedule, Timing(**{name: getattr(schedule, name) for name in TIMES})
            )
        schedule.save(update_fields=["enabled", "periodic_task"])
        record(by=by, action=action, target=schedule, before=before, after={"enabled": enabled})
    return schedule


def _checked_name(name: Any) -> str:
    if not isinstance(name, str) or not name.strip() or len(name.strip()) > 100:
        raise InvalidSchedule(
            "Give the schedule a name of 1 to 100 characters.", fields={"name": ["Missing."]}
        )
    return name.strip()


def _columns(timing: Timing) -> dict[str, Any]:
    return {"kind": str(timing.kind), **{key: getattr(timing, key) for key in TIMES[1:]}}


def _save(schedule: RetrainingSchedule) -> None:
    try:
        with tenant_transaction():
            schedule.save()
    except IntegrityError as error:
        raise ScheduleExists(
            f"A schedule {schedule.name!r} exists already. Choose another name.", fields={"name": ["Taken."]}
        ) from error


def _make_task(schedule: RetrainingSchedule, timing: Timing) -> PeriodicTask:
    row = timing.beat_row()
    row.save()
    tenant_id = current_tenant_id()
    return PeriodicTask.objects.create(
        name=f"retraining schedule {schedule.pk} of tenant {tenant_id}",
        task=FIRE_TASK,
        kwargs=json.dumps({"schedule_id": schedule.pk, "tenant_id": tenant_id}),
        enabled=schedule.enabled,
        **{"interval" if timing.kind == "interval" else "crontab": row},
    )


def _delete_task(task: PeriodicTask | None) -> None:
    """Delete the task and the private row of its times, which no other task shares."""
    if task is None:
        return
    row = task.scheduler
    task.delete()
    row.delete()
