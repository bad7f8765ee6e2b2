"""Keeping the rules by which claims give roles."""

from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction

from mlplatform.errors import Conflict, InvalidInput
from mlplatform.identity.models import ClaimMapping
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record


def provider_names() -> dict[str, str]:
    """Return the configured providers' names by their short names."""
    configured: dict[str, Any] = settings.SOCIALACCOUNT_PROVIDERS
    apps = configured["openid_connect"]["APPS"]
    return {app["provider_id"]: app["name"] for app in apps}


def add_mapping(
    *, provider: str, claim: str, value: str, tenant: Tenant, role: str, by: Actor
) -> ClaimMapping:
    """Add a rule, which counts from the next sign-in of each person; recorded in the tenant.

    Raises InvalidInput for an unknown provider or role, Conflict where there is one for the claim and tenant.
    """
    if provider not in provider_names():
        known = ", ".join(provider_names()) or "none"
        detail = f"There is no provider {provider!r}. Configured: {known}."
        raise InvalidInput(detail, fields={"provider": ["Unknown provider."]})
    rule = ClaimMapping(provider=provider, claim=claim.strip(), value=value.strip(), tenant=tenant, role=role)
    try:
        rule.clean_fields()
    except ValidationError as error:
        raise InvalidInput("The rule is not valid.", fields=error.message_dict) from error
    try:
        with transaction.atomic():
            rule.save(force_insert=True)
            _record(rule, "sign_on_rule.added", by)
    except IntegrityError as error:
        raise Conflict("There is a rule for this claim and tenant already.") from error
    return rule


def remove_mapping(*, rule: ClaimMapping, by: Actor) -> None:
    """Remove a rule; who has a role by it alone loses it at the next sign-in. Recorded in the tenant."""
    with transaction.atomic():
        _record(rule, "sign_on_rule.removed", by)
        rule.delete()


def _record(rule: ClaimMapping, action: str, by: Actor) -> None:
    shown = fields_of(rule, "created_at")
    with tenant_scope(rule.tenant), tenant_transaction():
        side = {"after": shown} if action.endswith("added") else {"before": shown}
        record(by=by, action=action, target=rule, **side)
