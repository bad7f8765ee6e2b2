"""Report schedules: who gets which report how often."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import attention
from mlplatform.admin.forms import ConfirmForm, ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Notice, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.models import ReportSchedule
from monitoring.models.report_schedule import ReportFiles, Rhythm
from monitoring.services.report_schedules import (
    addresses_in,
    create_report_schedule,
    delete_report_schedule,
    readers_of,
    update_report_schedule,
)
from monitoring.tasks import submit_report
from registry.models import RegisteredModel

PLAIN = ("name", "model", "rhythm", "hour", "enabled")


class ReportScheduleForm(ConsoleForm):
    """What is sent to whom, and how often."""

    name = forms.CharField(max_length=100, help_text="For whom it is, for example Risk committee.")
    model: "forms.ModelChoiceField[RegisteredModel]" = forms.ModelChoiceField(
        queryset=None, required=False, empty_label="The whole tenant", label="Report on"
    )
    rhythm = forms.ChoiceField(choices=Rhythm.choices, initial=Rhythm.MONTHLY, label="How often")
    hour = forms.IntegerField(
        min_value=0,
        max_value=23,
        initial=7,
        label="At this hour",
        help_text="Of the first day after the period, in the tenant's time zone.",
    )
    attached = forms.ChoiceField(choices=ReportFiles.choices, initial=ReportFiles.PDF, label="Attached")
    recipients = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text="Addresses of members, one on each line. Empty: the administrators.",
    )
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = RegisteredModel.objects.order_by("name")  # type: ignore[attr-defined]  # a model choice

    def clean_recipients(self) -> list[str]:
        """Return the addresses."""
        return addresses_in(self.cleaned_data["recipients"])

    def given(self) -> dict[str, Any]:
        """Return the schedule's fields."""
        found = dict(self.cleaned_data)
        found["files"] = found.pop("attached")
        return found


def state_badge(schedule: ReportSchedule) -> Badge:
    """Return whether it goes out, or what stands in its way."""
    if not schedule.enabled:
        return Badge("Off", "muted")
    if schedule.last_error:
        return Badge(
            "Tried again" if schedule.attempts else "Given up", "warn" if schedule.attempts else "bad"
        )
    return Badge("On", "good")


@attention.at(60)
def given_up_reports() -> Iterable[Notice]:
    """Tell of reports that were given up."""
    for one in ReportSchedule.objects.filter(enabled=True, attempts=0).exclude(last_error=""):
        yield Notice("bad", f"The report {one.name} was not sent", one.last_error, page_url(one))


@admin.register(ReportSchedule, site=console)
class ReportScheduleAdmin(PlatformModelAdmin):
    """Reports that go out by mail at the end of each week, month or quarter."""

    can_add = True
    add_title = "New report schedule"
    list_display = [
        "name",
        "state",
        "subject",
        cell("get_rhythm_display", "How often", "rhythm"),
        cell("next_try_at", "Next"),
        cell("last_sent_at", "Last sent"),
    ]
    list_select_related = ["model"]
    list_filter = ["rhythm", "enabled"]
    search_fields = ["name", "model__name"]
    empty_title = "No report goes out by mail yet"
    empty_hint = "A schedule writes to members after each week, month or quarter, the report attached."
    commands = (
        Command("send", "Send the last one now", Capability.ADMIN, "send", "primary", post=True),
        Command("edit", "Edit", Capability.ADMIN, "edit"),
        Command("remove", "Delete", Capability.ADMIN, "delete", "danger", reauthenticate=True),
    )

    @admin.display(description="State", ordering="enabled")
    def state(self, schedule: ReportSchedule) -> str:
        """Whether it goes out."""
        return show(state_badge(schedule))

    @admin.display(description="Report on", ordering="model__name")
    def subject(self, schedule: ReportSchedule) -> str:
        """The model, or the whole tenant."""
        return show(schedule.model or "the whole tenant")

    def sections(self, request: HttpRequest, row: ReportSchedule) -> Iterable[Section | None]:
        """Return what goes to whom, and how it went."""
        people = [user.email for user in readers_of(row)]
        left = [one for one in row.recipients if one not in people]
        yield Facts(
            row.name,
            [
                ("State", state_badge(row)),
                ("Report on", row.model or "the whole tenant"),
                ("How often", f"{row.get_rhythm_display()}, at {row.hour:02d}:00 of the first day after"),
                ("Attached", row.get_files_display()),
                ("Goes to", ", ".join(people) or "nobody: see the addresses"),
                ("Left out", f"{', '.join(left)}: may not see it any more" if left else None),
                ("Next", row.next_try_at),
                ("Last sent", row.last_sent_at or "never"),
                ("Settled up to", row.settled),
                ("What went wrong", row.last_error or None),
                ("Made by", row.created_by),
            ],
            note="What was sent stands in the audit trail, with the hash of its content.",
            wide=True,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Write a schedule down."""

        form = bound(ReportScheduleForm, request)

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            schedule = create_report_schedule(by=by, **form.given())
            return self.done(request, "The schedule is written down; see below when it goes out.", schedule)

        page = FormPage("New report schedule", "Save", intro="Reports go to members of this tenant alone.")
        return self.form_page(request, page=page, form=form, submit=submit)

    def edit(self, request: HttpRequest, schedule: ReportSchedule) -> HttpResponse:
        """Change it."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            update_report_schedule(schedule=schedule, changes=form.given(), by=by)
            return self.done(request, "The schedule was saved.", schedule)

        initial = {name: getattr(schedule, name) for name in PLAIN}
        initial |= {"attached": schedule.files, "recipients": "\n".join(schedule.recipients)}
        form = bound(ReportScheduleForm, request, initial=initial)
        return self.form_page(
            request, page=FormPage(f"Edit {schedule}", "Save"), form=form, submit=submit, row=schedule
        )

    def send(self, request: HttpRequest, schedule: ReportSchedule) -> HttpResponse:
        """Have the last period's report sent at once."""
        submit_report(schedule=schedule, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, "It goes out as soon as a worker is free.", schedule)

    def remove(self, request: HttpRequest, schedule: ReportSchedule) -> HttpResponse:
        """Ask, then delete."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            name = schedule.name
            delete_report_schedule(schedule=schedule, by=by)
            return self.done(request, f"{name} was deleted.")

        page = FormPage(
            f"Delete {schedule}?",
            "Delete",
            intro="It goes out no more. What was sent stays.",
            danger=True,
        )
        form = bound(ConfirmForm, request)
        return self.form_page(request, page=page, form=form, submit=submit, row=schedule)
