"""Alert rules: when people must be told."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, ConsoleForm, bound
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, allowed_models
from monitoring.admin.words import SEVERITY_TONES, alert_state_badge
from monitoring.models import AlertRule
from monitoring.models.alert import AlertMetric, Comparison, Severity
from monitoring.services.rules import create_rule, delete_rule, update_rule
from monitoring.services.watching import limit_words, silent_since
from registry.models import RegisteredModel


class RuleForm(ConsoleForm):
    """A rule's condition and patience."""

    metric = forms.ChoiceField(choices=AlertMetric.choices, label="Watch")
    threshold = forms.FloatField(
        help_text="Drifted features: a share at an alarm of the drift check; 0 is every alarm. Quality: "
        "alert when it is worse. Other shares and errors: from 0 to 1, for example 0.05. Time: milliseconds."
    )
    severity = forms.ChoiceField(choices=Severity.choices, initial=Severity.WARNING)
    cooldown_minutes = forms.IntegerField(
        min_value=0, initial=60, help_text="Silence after an alert was resolved."
    )
    minimum_rows = forms.IntegerField(
        min_value=1, initial=30, help_text="With fewer rows there is no verdict."
    )
    comparison = forms.ChoiceField(
        choices=Comparison.choices, required=False, label="Alert when the value is"
    )
    window_hours = forms.IntegerField(
        min_value=0, required=False, initial=0, help_text="Look at the last so many hours; 0 for 7 days."
    )
    required = forms.IntegerField(
        min_value=1, required=False, initial=1, label="Alert when so many checks found it"
    )
    out_of = forms.IntegerField(
        min_value=1, required=False, initial=1, label="of the last", help_text="Checks that had a verdict."
    )
    slice = forms.CharField(
        max_length=200, required=False, help_text="Only a part of the cases, as quality is told by part."
    )
    no_data_hours = forms.IntegerField(
        min_value=0,
        required=False,
        initial=168,
        help_text="After so many hours without a verdict, raise an alert that says so; 0 for never.",
    )
    escalate_after_minutes = forms.IntegerField(
        min_value=0,
        required=False,
        initial=0,
        help_text="An alert that nobody acknowledges for so long becomes graver; 0 for never.",
    )
    enabled = forms.BooleanField(required=False, initial=True, label="Switched on")

    def given(self) -> dict[str, Any]:
        """Return what was filled in; what was left empty stays as it is, or gets its default."""
        return {
            name: value for name, value in self.cleaned_data.items() if value is not None and value != ""
        } | {"slice": self.cleaned_data.get("slice", "")}


class NewRuleForm(RuleForm):
    """A rule for a model."""

    model: "forms.ModelChoiceField[RegisteredModel]" = forms.ModelChoiceField(queryset=None)
    field_order = ("model", "metric")

    def __init__(self, *args: Any, models: QuerySet[RegisteredModel], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = models  # type: ignore[attr-defined]  # a model choice


def rule_badge(rule: AlertRule) -> Badge:
    """Return whether the rule watches."""
    return Badge("On", "good") if rule.enabled else Badge("Off", "muted")


def _judging(rule: AlertRule) -> list[tuple[str, Any]]:
    since = silent_since(rule)
    never = "never"
    return [
        ("Alert when it is", limit_words(rule)),
        ("Looks at", f"the last {rule.window_hours} hours" if rule.window_hours else "7 days"),
        ("Part of the cases", rule.slice or "all"),
        ("Needs", f"{rule.required} of the last {rule.out_of} checks"),
        ("Says that data lacks after", f"{rule.no_data_hours} h" if rule.no_data_hours else never),
        (
            "Becomes graver after",
            f"{rule.escalate_after_minutes} min" if rule.escalate_after_minutes else never,
        ),
        ("Without a verdict since", since),
    ]


@admin.register(AlertRule, site=console)
class AlertRuleAdmin(PlatformModelAdmin):
    """When people must be told."""

    can_add = of_a_model = True
    add_title = "New rule"
    list_display = [
        "watches",
        "severity_shown",
        cell("model", "Model"),
        cell("threshold", "Threshold"),
        "state",
        "cooldown_minutes",
        "minimum_rows",
    ]
    list_select_related = ["model"]
    list_filter = [("model", RelatedDropdownFilter), "metric", "severity", "enabled"]
    search_fields = ["model__name", "metric"]
    empty_title = "No rule yet"
    empty_hint = "A model's first check makes its default rules; you can also write your own."
    commands = (
        Command("edit", "Edit", Capability.MONITOR, "edit"),
        Command("remove", "Delete", Capability.MONITOR, "delete", "danger", reauthenticate=True),
    )

    @admin.display(description="Watches", ordering="metric")
    def watches(self, rule: AlertRule) -> str:
        """What the rule looks at."""
        return AlertMetric(rule.metric).label

    @admin.display(description="Severity", ordering="severity")
    def severity_shown(self, rule: AlertRule) -> str:
        """How urgent its alerts are."""
        return show(Badge(Severity(rule.severity).label, SEVERITY_TONES[rule.severity]))

    @admin.display(description="State", ordering="enabled")
    def state(self, rule: AlertRule) -> str:
        """Whether it watches."""
        return show(rule_badge(rule))

    def sections(self, request: HttpRequest, row: AlertRule) -> Iterable[Section | None]:
        """Return the rule and the alerts it raised."""
        yield Facts(
            str(row),
            [
                ("State", rule_badge(row)),
                ("Model", row.model),
                ("Watches", AlertMetric(row.metric).label),
                ("Threshold", row.threshold),
                ("Severity", Badge(Severity(row.severity).label, SEVERITY_TONES[row.severity])),
                ("Cooldown", f"{row.cooldown_minutes} min"),
                ("Minimum rows", row.minimum_rows),
            ],
        )
        yield Facts("How it judges", _judging(row))
        alerts = [[one, alert_state_badge(one), one.last_seen_at] for one in row.alerts.all()[:20]]
        yield Table("Its alerts", ["Alert", "State", "Last seen"], alerts, empty="None yet.", wide=False)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Create a rule."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            rule = create_rule(**form.given(), by=by)
            return self.done(request, "The rule watches from the next check on.", rule)

        page = FormPage("New alert rule", "Create rule")
        form = bound(NewRuleForm, request, models=allowed_models(request.user, Capability.MONITOR))
        return self.form_page(request, page=page, form=form, submit=submit)

    def edit(self, request: HttpRequest, rule: AlertRule) -> HttpResponse:
        """Change the rule."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            update_rule(rule=rule, by=by, **form.given())
            return self.done(request, "The rule was saved.", rule)

        form = bound(RuleForm, request, initial={name: getattr(rule, name) for name in RuleForm.base_fields})
        return self.form_page(
            request, page=FormPage(f"Edit {rule}", "Save"), form=form, submit=submit, row=rule
        )

    def remove(self, request: HttpRequest, rule: AlertRule) -> HttpResponse:
        """Ask, then delete."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            delete_rule(rule=rule, by=by)
            return self.done(request, "The rule was deleted.")

        page = FormPage(f"Delete {rule}?", "Delete", intro="Its alerts stay as history.", danger=True)
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=rule)
