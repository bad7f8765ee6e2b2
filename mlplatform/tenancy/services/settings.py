"""Settings of a tenant that its admin may change: columns of the tenant, listed here."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import record

# Adding a setting is adding a column and its name here: page, API, validation and audit follow.
SETTINGS = (
    "require_second_factor",
    "measure_personal_groups",
    "time_zone",
    "outcome_match_days",
    "outcome_hold_days",
    "drop_comments",
)


def setting(name: str) -> Any:
    """Return what the active tenant has chosen, as it stands in the database now."""
    with tenant_transaction():
        return Tenant.objects.values_list(name, flat=True).get(pk=current_tenant_id())


def change_settings(*, changes: Mapping[str, Any], by: Actor) -> Tenant:
    """Change settings of the active tenant; what is as it was leaves no audit row.

    Raises InvalidInput for a name that is no setting, or a value that does not fit.
    """
    unknown = sorted(set(changes) - set(SETTINGS))
    if unknown:
        detail = f"Settings are {', '.join(SETTINGS)}."
        raise InvalidInput(detail, fields={name: ["No such setting."] for name in unknown})
    with tenant_transaction():
        tenant = Tenant.objects.select_for_update(no_key=True).get(pk=current_tenant_id())
        before = {name: getattr(tenant, name) for name in changes if getattr(tenant, name) != changes[name]}
        for name in before:
            setattr(tenant, name, changes[name])
        try:
            tenant.clean_fields()
        except ValidationError as error:
            raise InvalidInput("The settings are not valid.", fields=error.message_dict) from error
        if before:
            tenant.save(update_fields=list(before))
            after = {name: changes[name] for name in before}
            record(by=by, action="tenant.settings_changed", target=tenant, before=before, after=after)
    return tenant
