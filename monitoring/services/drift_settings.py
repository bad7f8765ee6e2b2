"""By which rule a model's drift is judged, and how people change it."""

from typing import Any

from django.core.exceptions import ValidationError

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.errors import InvalidDriftSettings
from monitoring.models import DriftSettings
from registry.models import RegisteredModel

FIELDS = ("rule", "false_alarms_a_month", "psi_limit", "drift_share")


def drift_settings_of(model: RegisteredModel) -> DriftSettings:
    """Return the model's settings; a model that has none gets the default ones, which are not stored."""
    with tenant_transaction():
        found = DriftSettings.objects.select_related("model").filter(model=model).first()
    return found or DriftSettings(model=model)


def update_drift_settings(*, model: RegisteredModel, by: Actor, **changes: Any) -> DriftSettings:
    """Change the settings (see ``FIELDS``); the next check follows them. Raises InvalidDriftSettings."""
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        hint = f"Choose from {', '.join(FIELDS)}."
        raise InvalidDriftSettings(
            "The settings have no such field.", fields={name: [hint] for name in unknown}
        )
    with tenant_transaction():
        # The row lock keeps two people from making the settings twice.
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        found = drift_settings_of(model)
        before = {name: getattr(found, name) for name in changes}
        for name, value in changes.items():
            setattr(found, name, value)
        _check(found)
        found.save()
        record(by=by, action="drift_settings.updated", target=found, before=before, after=dict(changes))
    return found


def _check(found: DriftSettings) -> None:
    try:
        found.clean_fields()
    except ValidationError as error:
        raise InvalidDriftSettings(
            "Some fields of the settings are wrong.", fields=error.message_dict
        ) from error
    # A number that is none passes every comparison.
    wrong = {
        name: ["This must be a finite number."]
        for name in FIELDS[1:]
        if not abs(getattr(found, name)) < float("inf")
    }
    if wrong:
        raise InvalidDriftSettings("Some fields of the settings are wrong.", fields=wrong)
