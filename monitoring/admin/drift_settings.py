"""By which rule a model's drift is judged: a form that hangs in at the model's page."""

from collections.abc import Mapping
from typing import Any, cast

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.extensions import model_commands
from mlplatform.admin.forms import ConsoleForm, FieldGroup, bound
from mlplatform.admin.parts import Menu
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability
from monitoring.models.drift import DriftRule
from monitoring.services.drift_settings import FIELDS, drift_settings_of, update_drift_settings
from registry.models import RegisteredModel


class DriftSettingsForm(ConsoleForm):
    """The rule, and the numbers of both rules."""

    rule = forms.ChoiceField(
        choices=DriftRule.choices,
        help_text="The calibrated rule knows the number of rows, features and checks, and tells of drift "
        "that chance does not explain. The classic limits are constants, whatever the numbers are.",
    )
    false_alarms_a_month = forms.FloatField(
        label="False alarms a month",
        help_text="How many may come although nothing has changed. Usually 1; fewer means later alarms.",
    )
    psi_limit = forms.FloatField(
        label="PSI limit", help_text="Above it a feature has drifted: 0.1 is customary, 0.25 a large shift."
    )
    drift_share = forms.FloatField(
        label="Share of drifted features", help_text="From this share on it is an alarm. Customary: 0.3."
    )
    groups = (
        FieldGroup("The rule", ("rule",)),
        FieldGroup("Calibrated", ("false_alarms_a_month",)),
        FieldGroup("Classic", ("psi_limit", "drift_share")),
    )


def drift_settings_page(request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Change by which rule the model's drift is judged."""
    pages = cast(PlatformModelAdmin, console.get_model_admin(RegisteredModel))

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        update_drift_settings(model=model, by=by, **data)
        return pages.done(request, "The next check judges by these settings.", model)

    known = drift_settings_of(model)
    form = bound(DriftSettingsForm, request, initial={name: getattr(known, name) for name in FIELDS})
    page = FormPage(f"When drift of {model} is an alarm", "Save")
    return pages.form_page(request, page=page, form=form, submit=submit, row=model)


model_commands.append(
    Command(
        "drift-settings",
        "Drift alarms",
        Capability.MONITOR,
        "tune",
        view=drift_settings_page,
        menu=Menu.SETTINGS,
    )
)
