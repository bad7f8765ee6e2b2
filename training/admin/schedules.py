"""Retraining schedules: written, paused, run at once."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, bound
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models
from training.admin.schedule_forms import ScheduleForm, TimingForm, initial_of
from training.models import RetrainingSchedule
from training.services.plain_times import times_in_words
from training.services.schedules import (
    create_schedule,
    delete_schedule,
    next_runs,
    pause_schedule,
    resume_schedule,
    update_schedule,
)
from training.tasks import submit_schedule


def times_of(schedule: RetrainingSchedule) -> str:
    """Return when it runs, in words."""
    return times_in_words(**{name: getattr(schedule, name) for name in ("cron", "every", "unit", "timezone")})


def schedule_badge(schedule: RetrainingSchedule) -> Badge:
    """Return whether it runs."""
    return Badge("Active", "good") if schedule.enabled else Badge("Paused", "muted")


@admin.register(RetrainingSchedule, site=console)
class RetrainingScheduleAdmin(PlatformModelAdmin):
    """When models are retrained by themselves."""

    can_add = of_a_model = True
    add_title = "New schedule"
    list_display = [
        "name",
        "state",
        cell("model", "Model"),
        "times",
        "next_run",
        cell("last_fired_at", "Last run"),
        "last_result",
    ]
    list_select_related = ["model", "periodic_task__crontab", "periodic_task__interval"]
    list_filter = ["enabled", ("model", RelatedDropdownFilter), "kind"]
    search_fields = ["name", "model__name", "last_result"]
    empty_title = "No schedule yet"
    empty_hint = "A schedule retrains a model at fixed times, with all outcomes known by then."
    commands = (
        Command("edit", "Edit", Capability.MONITOR, "edit"),
        Command("run", "Run now", Capability.TRAIN, "play_arrow", "primary", post=True),
        Command("pause", "Pause", Capability.MONITOR, "pause", post=True, available=lambda one: one.enabled),
        Command(
            "resume", "Resume", Capability.MONITOR, "resume", post=True, available=lambda one: not one.enabled
        ),
        Command("remove", "Delete", Capability.MONITOR, "delete", "danger", reauthenticate=True),
    )

    @admin.display(description="State", ordering="enabled")
    def state(self, schedule: RetrainingSchedule) -> str:
        """Active or paused."""
        return show(schedule_badge(schedule))

    @admin.display(description="Times")
    def times(self, schedule: RetrainingSchedule) -> str:
        """When it runs."""
        return times_of(schedule)

    @admin.display(description="Next run")
    def next_run(self, schedule: RetrainingSchedule) -> str:
        """The next time at which it fires."""
        return show(next(iter(next_runs(schedule, 1)), None))

    def sections(self, request: HttpRequest, row: RetrainingSchedule) -> Iterable[Section | None]:
        """Return the times and what came of the last run."""
        yield Facts(
            row.name,
            [
                ("State", schedule_badge(row)),
                ("Model", row.model),
                ("Times", times_of(row)),
                ("Rows from", row.source or "the model's known outcomes"),
                ("Where it does not answer", row.get_on_source_failure_display() if row.source else None),
                ("Last run", row.last_fired_at or "never"),
                ("What happened", row.last_result),
                ("Created", row.created_at),
                ("By", row.created_by),
            ],
        )
        runs = [[moment] for moment in next_runs(row)]
        yield Table("Next five runs", ["Time"], runs, empty="None: the schedule is paused.", wide=False)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Create a schedule."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            schedule = create_schedule(**data, by=by)
            return self.done(request, "The schedule is active; see its next runs below.", schedule)

        intro = "At these times the model is trained again by itself, on all that is known by then."
        page = FormPage("New schedule", "Create schedule", intro=intro)
        form = bound(ScheduleForm, request, models=allowed_models(request.user, Capability.MONITOR))
        return self.form_page(request, page=page, form=form, submit=submit)

    def edit(self, request: HttpRequest, schedule: RetrainingSchedule) -> HttpResponse:
        """Change name or times."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            update_schedule(schedule=schedule, changes=dict(data), by=by)
            return self.done(request, "The schedule was saved.", schedule)

        form = bound(TimingForm, request, initial=initial_of(schedule))
        return self.form_page(
            request, page=FormPage(f"Edit {schedule}", "Save"), form=form, submit=submit, row=schedule
        )

    def run(self, request: HttpRequest, schedule: RetrainingSchedule) -> HttpResponse:
        """Retrain at once."""
        job = submit_schedule(schedule=schedule, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "The job is queued; this page follows it.", job)

    def pause(self, request: HttpRequest, schedule: RetrainingSchedule) -> HttpResponse:
        """Stop firing."""
        pause_schedule(schedule=schedule, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "The schedule is paused.", schedule)

    def resume(self, request: HttpRequest, schedule: RetrainingSchedule) -> HttpResponse:
        """Fire again."""
        resume_schedule(schedule=schedule, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "The schedule runs again.", schedule)

    def remove(self, request: HttpRequest, schedule: RetrainingSchedule) -> HttpResponse:
        """Ask, then delete."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            name = schedule.name
            delete_schedule(schedule=schedule, by=by)
            return self.done(request, f"{name} was deleted.")

        page = FormPage(
            f"Delete {schedule}?", "Delete", intro="It fires no more. Its past jobs stay.", danger=True
        )
        return self.form_page(
            request, page=page, form=bound(ConfirmForm, request), submit=submit, row=schedule
        )
