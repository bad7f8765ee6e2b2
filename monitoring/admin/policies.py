"""Retraining policies: what the platform may do by itself, and what it would have done."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, FieldGroup, bound
from mlplatform.admin.parts import Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.admin.policy_words import policy_badge, policy_facts, preview_sections
from monitoring.models import RetrainingPolicy
from monitoring.models.policy import OnSuccess
from monitoring.services.policies import update_policy
from monitoring.services.previews import preview_policy

MAY_BE_EMPTY = (
    "performance_threshold",
    "performance_loss",
    "feedback_threshold",
    "monthly_budget",
    "quiet_from",
    "quiet_until",
    "rollback_latency_ms",
)


ROLLBACK_FIELDS = (
    "rollback_on_quality",
    "rollback_loss",
    "rollback_on_latency",
    "rollback_latency_ms",
    "rollback_on_calibration",
    "rollback_gap",
    "rollback_on_errors",
    "rollback_error_rate",
    "rollback_alpha",
    "rollback_minimum",
    "rollback_days",
)


def _time(label: str, help_text: str) -> forms.TimeField:
    return forms.TimeField(
        required=False, label=label, help_text=help_text, widget=forms.TimeInput(format="%H:%M")
    )


class PolicyForm(ConsoleForm):
    """The rules and limits of retraining by itself."""

    enabled = forms.BooleanField(required=False, label="Retrain by itself")
    on_success = forms.ChoiceField(choices=OnSuccess.choices, label="The new version")
    on_drift = forms.BooleanField(required=False, label="When a drift alert is raised")
    on_performance = forms.BooleanField(required=False, label="When quality is lost")
    performance_threshold = forms.FloatField(
        required=False,
        label="Worse than",
        help_text="The primary metric. Left empty: the installation's limit, where the version reached it on "
        "its hold-out. An alert about quality counts as well.",
    )
    performance_loss = forms.FloatField(
        required=False,
        min_value=0,
        label="Or lost of the hold-out's value",
        help_text="For example 0.1 for a tenth. Left empty: not looked at.",
    )
    on_age = forms.BooleanField(required=False, label="When the data are old")
    max_age_days = forms.IntegerField(
        required=False, min_value=1, label="Old after days", help_text="Since the newest version's data."
    )
    on_feedback = forms.BooleanField(required=False, label="When outcomes have come in")
    feedback_threshold = forms.IntegerField(
        required=False,
        min_value=1,
        label="Outcomes",
        help_text="Left empty: the installation's number.",
    )
    on_volume = forms.BooleanField(required=False, label="When rows have been asked")
    volume_rows = forms.IntegerField(required=False, min_value=1, label="So many rows")
    on_schedule = forms.BooleanField(
        required=False,
        label="Treat scheduled trainings likewise",
        help_text="What a schedule of the model has trained is proposed or promoted, too.",
    )
    minimum_outcomes = forms.IntegerField(min_value=0, help_text="New outcomes needed before it is worth it.")
    cooldown_minutes = forms.IntegerField(min_value=0, help_text="At most one retraining in this time.")
    monthly_budget = forms.IntegerField(
        required=False, min_value=1, label="Retrainings in 30 days", help_text="Left empty: no limit."
    )
    quiet_from = _time("Quiet from", "In the tenant's time zone, such as 22:00. It starts nothing then.")
    quiet_until = _time("Quiet until", "Such as 06:00.")
    rollback_on_quality = forms.BooleanField(required=False, label="On quality")
    rollback_loss = forms.FloatField(
        required=False,
        min_value=0,
        label="Tolerated loss",
        help_text="Of the hold-out's right answers, or growth of its mean error: 0.1 for a tenth.",
    )
    rollback_on_latency = forms.BooleanField(required=False, label="On latency")
    rollback_latency_ms = forms.FloatField(
        required=False,
        label="95 of 100 answers within (ms)",
        help_text="Left empty: twice what the version before took.",
    )
    rollback_on_calibration = forms.BooleanField(required=False, label="On calibration")
    rollback_gap = forms.FloatField(
        required=False,
        min_value=0,
        label="Tolerated distance",
        help_text="Of the probability that it gives from the share that is right.",
    )
    rollback_on_errors = forms.BooleanField(required=False, label="On errors")
    rollback_error_rate = forms.FloatField(
        required=False,
        min_value=0,
        label="Tolerated share of errors",
        help_text="Of the requests that nothing is wrong with: 0.05 for one in 20.",
    )
    rollback_alpha = forms.FloatField(
        required=False,
        label="False alarms accepted",
        help_text="How often a version within all limits may be taken back, however often one looks: 0.01.",
    )
    rollback_minimum = forms.IntegerField(
        required=False, min_value=1, label="Answers, outcomes or requests needed"
    )
    rollback_days = forms.IntegerField(
        required=False, min_value=1, label="Watched for days", help_text="After its promotion."
    )
    groups = (
        FieldGroup("The policy", ("enabled", "on_success")),
        FieldGroup(
            "Retrain",
            (
                "on_drift",
                "on_performance",
                "performance_threshold",
                "performance_loss",
                "on_age",
                "max_age_days",
                "on_feedback",
                "feedback_threshold",
                "on_volume",
                "volume_rows",
                "on_schedule",
            ),
        ),
        FieldGroup(
            "Within these limits",
            ("minimum_outcomes", "cooldown_minutes", "monthly_budget", "quiet_from", "quiet_until"),
        ),
        FieldGroup(
            "Take a promoted version back by itself",
            ROLLBACK_FIELDS,
            note="Once, to the last good version, once it is proven to be beyond a limit; people are told.",
        ),
    )

    def changes(self) -> dict[str, Any]:
        """Return what is to change: a number that was left empty stays, where it cannot be empty."""
        given = self.cleaned_data.items()
        return {name: value for name, value in given if value is not None or name in MAY_BE_EMPTY}


@admin.register(RetrainingPolicy, site=console)
class RetrainingPolicyAdmin(PlatformModelAdmin):
    """One policy for each model; a model's first check makes it."""

    list_display = [
        cell("model", "Model"),
        "state",
        "on_drift",
        "on_performance",
        "minimum_outcomes",
        "on_success",
    ]
    list_display_links = ["state"]
    list_select_related = ["model"]
    list_filter = ["enabled", "on_success"]
    search_fields = ["model__name"]
    empty_title = "No policy yet"
    empty_hint = "A model gets its policy with its first check. Open a model and run the checks."
    commands = (
        Command("edit", "Edit policy", Capability.MONITOR, "edit", "primary"),
        Command("preview", "Preview", Capability.VIEW, "history"),
    )

    @admin.display(description="State", ordering="enabled")
    def state(self, policy: RetrainingPolicy) -> str:
        """Whether it acts."""
        return show(policy_badge(policy))

    def sections(self, request: HttpRequest, row: RetrainingPolicy) -> Iterable[Section | None]:
        """Return the policy in words."""
        yield policy_facts(row)

    def edit(self, request: HttpRequest, policy: RetrainingPolicy) -> HttpResponse:
        """Change the policy, or see what it would have done with the changes."""
        form = bound(PolicyForm, request, initial=_initial(policy))
        title, second = f"Policy of {policy.model}", ("preview", "Preview")

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            if "preview" in request.POST:
                found = preview_policy(model=policy.model, **form.changes())
                page = FormPage(title, "Save policy", sections=preview_sections(found), second=second)
                return self.show_form(request, page=page, form=form, row=policy)
            update_policy(model=policy.model, by=by, **form.changes())
            return self.done(request, "The policy was saved.", policy)

        page = FormPage(title, "Save policy", second=second)
        return self.form_page(request, page=page, form=form, submit=submit, row=policy)

    def preview(self, request: HttpRequest, policy: RetrainingPolicy) -> HttpResponse:
        """Show what the policy, as it is, would have done."""
        found = preview_policy(model=policy.model)
        title = f"What the policy of {policy.model} would have done"
        sections = [*preview_sections(found), policy_facts(policy)]
        return self.render(request, "admin/pages/object.html", policy, title=title, sections=sections)


def _initial(policy: RetrainingPolicy) -> dict[str, Any]:
    return {name: getattr(policy, name) for name in PolicyForm.base_fields}
