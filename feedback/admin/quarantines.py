"""Suspicious feedback: why it was set aside, and what is decided about it."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from feedback.models import Quarantine
from feedback.models.quarantine import QuarantineState, Suspicion
from feedback.services.feedback_settings import FIELDS, feedback_settings_of, update_feedback_settings
from feedback.services.quarantines import LONGEST_REASON, labels_in, open_quarantines, reject, release
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import attention, model_commands, navigation_badges
from mlplatform.admin.forms import ConsoleForm, FieldGroup, bound
from mlplatform.admin.links import list_url, page_url
from mlplatform.admin.parts import Badge, Facts, Link, Menu, Notice, Section, Table, Tone
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from registry.models import RegisteredModel

TONES: dict[str, Tone] = {
    QuarantineState.OPEN: "warn",
    QuarantineState.RELEASED: "good",
    QuarantineState.REJECTED: "bad",
}


class WhyForm(ConsoleForm):
    """Why it is decided so."""

    reason = forms.CharField(max_length=LONGEST_REASON, widget=forms.Textarea(attrs={"rows": 3}))


def state_badge(case: Quarantine) -> Badge:
    """Return what was decided."""
    return Badge(QuarantineState(case.state).label, TONES[case.state])


def waiting_badge() -> str:
    """Return how many wait for a decision, for the sidebar."""
    return str(open_quarantines().count() or "")


def not_released(case: Quarantine) -> bool:
    """Tell whether it can be released."""
    return case.state != QuarantineState.RELEASED


def not_rejected(case: Quarantine) -> bool:
    """Tell whether it can be rejected."""
    return case.state != QuarantineState.REJECTED


navigation_badges["feedback.quarantine"] = waiting_badge


@attention.at(14)
def labels_set_aside() -> Iterable[Notice]:
    """Yield the quarantines that somebody has to decide about."""
    for case in open_quarantines()[:10]:
        title = f"Labels of {case.sender} for {case.model} are set aside"
        yield Notice("warn", title, case.reason, page_url(case))


@admin.register(Quarantine, site=console)
class QuarantineAdmin(PlatformModelAdmin):
    """Labels that were set aside together."""

    list_display = [
        cell("opened_at", "Set aside"),
        cell("sender", "Whose labels"),
        cell("model", "Model"),
        cell("reason", "Why"),
        cell("labels", "Labels"),
        "stands",
    ]
    list_select_related = ["model"]
    list_filter = ["state", "suspicion", ("model", RelatedDropdownFilter)]
    search_fields = ["sender", "reason"]
    of_a_model = True
    commands = (
        Command("release", "Release", Capability.APPROVE, "check", "primary", available=not_released),
        Command("reject", "Reject", Capability.APPROVE, "close", "danger", available=not_rejected),
    )
    empty_title = "No feedback is suspicious"
    empty_hint = (
        "Labels that suddenly change, or differ from trusted ones, are set aside here until somebody decides."
    )

    @admin.display(description="State", ordering="state")
    def stands(self, case: Quarantine) -> str:
        """What was decided."""
        return show(state_badge(case))

    def sections(self, request: HttpRequest, row: Quarantine) -> Iterable[Section | None]:
        """Return why, the numbers, which labels, and the decision."""
        outcomes = list_url("feedback.outcome", quarantine__id__exact=row.pk)
        yield Facts(
            Suspicion(row.suspicion).label,
            [
                ("State", state_badge(row)),
                ("Why", row.reason),
                ("Whose labels", row.sender),
                ("Model", row.model),
                ("Labels set aside", Link(f"{row.labels:,}", outcomes)),
                ("Received since", row.since),
                ("Set aside", row.opened_at),
                ("Decided", row.decided_at),
                ("By", row.decided_by),
                ("Decision", row.decision),
            ],
            "None of them counts, and none is trained on, unless they are released.",
            wide=True,
        )
        yield Facts("The numbers", [(name.replace("_", " "), value) for name, value in row.numbers.items()])
        found = labels_in(row)
        if found:
            yield Table("Which labels", ["Label", "How often"], [list(one) for one in found], wide=False)

    def release(self, request: HttpRequest, row: Quarantine) -> HttpResponse:
        """Ask why, then let the labels count."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            release(case=row, reason=data["reason"], by=by)
            return self.done(request, "The labels count now.", row)

        page = FormPage(f"Let {row.labels:,} labels of {row.sender} count?", "Release", intro=row.reason)
        return self.form_page(request, page=page, form=bound(WhyForm, request), submit=submit, row=row)

    def reject(self, request: HttpRequest, row: Quarantine) -> HttpResponse:
        """Ask why, then keep the labels as history alone."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            reject(case=row, reason=data["reason"], by=by)
            return self.done(request, "The labels are kept as history and never count.", row)

        page = FormPage(f"Reject {row.labels:,} labels of {row.sender}?", "Reject", row.reason, danger=True)
        return self.form_page(request, page=page, form=bound(WhyForm, request), submit=submit, row=row)


class FeedbackSettingsForm(ConsoleForm):
    """Who labels twice, and what is suspicious."""

    second_opinion_share = forms.FloatField(
        label="Share of rows labelled twice",
        help_text="Where more than one person may label: from 0 to 1.",
    )
    number_tolerance = forms.FloatField(
        label="Numbers agree within", help_text="As a share of the larger one: 0.1 is a tenth."
    )
    guard = forms.BooleanField(
        required=False, label="Set suspicious feedback aside", help_text="Until somebody decides about it."
    )
    least_labels = forms.IntegerField(
        label="Labels of a sender and day before they are looked at",
        help_text="Smaller senders are left alone.",
    )
    most_share = forms.FloatField(
        label="Largest share of a day's labels",
        help_text="Of a sender that usually gives less than half of that, where others give labels, too.",
    )
    false_alarm_rate = forms.FloatField(
        label="Rate of false alarms",
        help_text="How often labels that have not changed are suspected, for each sender, day and question.",
    )
    least_change = forms.FloatField(
        label="Least change of a class's share", help_text="0.1: from 30 % of the labels to 40 %."
    )
    least_compared = forms.IntegerField(
        label="Rows that trusted senders labelled, too, before they are compared"
    )
    most_disagreement = forms.FloatField(
        label="Share of labels that may differ from trusted ones", help_text="People disagree, too."
    )
    trusted = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="Trusted senders",
        help_text="One in a line, as outcomes tell them (From): an address, or api key and its name. Labels "
        "on which two people agreed are trusted in any case.",
    )
    groups = (
        FieldGroup("Labelling", ("second_opinion_share", "number_tolerance")),
        FieldGroup("The guard", ("guard", "false_alarm_rate", "trusted")),
        FieldGroup("Change of the balance, and shares", ("least_labels", "least_change", "most_share")),
        FieldGroup("Disagreement with trusted labels", ("least_compared", "most_disagreement")),
    )

    def clean_trusted(self) -> list[str]:
        """Return the lines."""
        return [line.strip() for line in self.cleaned_data["trusted"].splitlines() if line.strip()]


def feedback_settings_page(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Change how the model's feedback is labelled and guarded."""
    pages = cast(PlatformModelAdmin, console.get_model_admin(RegisteredModel))

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        update_feedback_settings(model=model, by=by, **data)
        return pages.done(request, "The next report of outcomes follows these settings.", model)

    known = feedback_settings_of(model)
    initial = {name: getattr(known, name) for name in FIELDS} | {"trusted": "\n".join(known.trusted)}
    form = bound(FeedbackSettingsForm, request, initial=initial)
    page = FormPage(f"Labelling and guarding the feedback of {model}", "Save")
    return pages.form_page(request, page=page, form=form, submit=submit, row=model)


model_commands.append(
    Command(
        "feedback-settings",
        "Feedback",
        Capability.APPROVE,
        "shield",
        view=feedback_settings_page,
        menu=Menu.SETTINGS,
    )
)
