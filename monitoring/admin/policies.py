"""Retraining policies: what the platform may do by itself."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.parts import Badge, Facts, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.models import RetrainingPolicy
from monitoring.models.policy import OnSuccess
from monitoring.services.policies import update_policy


class PolicyForm(ConsoleForm):
    """The limits of retraining by itself."""

    enabled = forms.BooleanField(required=False, label="Retrain by itself")
    on_drift = forms.BooleanField(required=False, label="When a drift alert is raised")
    on_performance = forms.BooleanField(required=False, label="When a quality alert is raised")
    minimum_outcomes = forms.IntegerField(min_value=0, help_text="New outcomes needed before it is worth it.")
    cooldown_minutes = forms.IntegerField(min_value=0, help_text="At most one retraining in this time.")
    on_success = forms.ChoiceField(choices=OnSuccess.choices, label="The new version")


def policy_badge(policy: RetrainingPolicy) -> Badge:
    """Return whether the policy acts."""
    return Badge("Acts", "good") if policy.enabled else Badge("Off", "muted")


def policy_facts(policy: RetrainingPolicy) -> Facts:
    """Return the policy in words."""
    reasons = [
        word
        for word, wanted in (("drift", policy.on_drift), ("falling quality", policy.on_performance))
        if wanted
    ]
    return Facts(
        "Retraining policy",
        [
            ("State", policy_badge(policy)),
            ("Model", policy.model),
            ("Retrains on", " and ".join(reasons) or "nothing"),
            ("Needs", f"{policy.minimum_outcomes:,} new outcomes"),
            ("At most", f"once in {policy.cooldown_minutes:,} min"),
            ("The new version", OnSuccess(policy.on_success).label),
            ("Changed", policy.updated_at),
        ],
    )


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
    commands = (Command("edit", "Edit policy", Capability.MONITOR, "edit", "primary"),)

    @admin.display(description="State", ordering="enabled")
    def state(self, policy: RetrainingPolicy) -> str:
        """Whether it acts."""
        return show(policy_badge(policy))

    def sections(self, request: HttpRequest, row: RetrainingPolicy) -> Iterable[Section | None]:
        """Return the policy in words."""
        yield policy_facts(row)

    def edit(self, request: HttpRequest, policy: RetrainingPolicy) -> HttpResponse:
        """Change the policy."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            update_policy(model=policy.model, by=by, **data)
            return self.done(request, "The policy was saved.", policy)

        form = bound(
            PolicyForm, request, initial={name: getattr(policy, name) for name in PolicyForm.base_fields}
        )
        page = FormPage(f"Policy of {policy.model}", "Save policy")
        return self.form_page(request, page=page, form=form, submit=submit, row=policy)
