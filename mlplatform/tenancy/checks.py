"""System checks that keep the tenant wall whole as tables are added."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register
from django.core.checks import Warning as CheckWarning
from django.db import DEFAULT_DB_ALIAS, models

from mlplatform.tenancy.guard import gaps
from mlplatform.tenancy.models import TenantManager, TenantModel

OUR_APPS = ("mlplatform", "tenancy", "identity", "registry", "training", "feedback", "monitoring")
# Tables of the platform itself, which belong to no tenant, each for a reason.
EXEMPT = {
    "tenancy.Tenant": "it is the tenant",
    "tenancy.Erasure": "the receipt of a tenant that is gone",
    "tenancy.User": "a person may be a member of several tenants",
    "identity.ClaimMapping": "platform administrators say which claims lead to which tenant",
    "mlplatform.Heartbeat": "a process serves all tenants",
    "monitoring.SystemHealth": "the installation serves all tenants",
}


def our_models() -> Iterator[type[models.Model]]:
    """Yield every concrete model of the platform's own apps."""
    for label in OUR_APPS:
        yield from apps.get_app_config(label).get_models(include_auto_created=True)


@register()
def check_tenant_models(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that each table belongs to a tenant or is exempt, with scoped manager and uniqueness."""
    return [message for model in our_models() if model._meta.label not in EXEMPT for message in _holes(model)]


@register(Tags.database)
def check_database_wall(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Check that PostgreSQL holds tenants apart: ``manage.py check --database default``.

    These are warnings, since ``migrate`` asks too, as the owner and before it has made the policies; the
    server and the worker refuse to start on the same findings.
    """
    if not databases or DEFAULT_DB_ALIAS not in databases:
        return []
    return [CheckWarning(gap.what, hint=gap.mend, id="tenancy.W005") for gap in gaps()]


@register(Tags.security, deploy=True)
def check_master_key(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Check that the key that opens everything encrypted does not lie beside it."""
    if settings.MASTER_KEY_GIVEN:
        return []
    hint = "Set ML_MASTER_KEYS, or ML_MASTER_KEYS_FILE, and keep the key elsewhere."
    return [CheckWarning("The master key lies in the data folder.", hint=hint, id="tenancy.W006")]


def _holes(model: type[models.Model]) -> Iterator[CheckMessage]:
    if not issubclass(model, TenantModel):
        hint = "Derive it from TenantModel."
        yield Error("The table belongs to no tenant.", hint=hint, obj=model, id="tenancy.E001")
        return
    manager: models.Manager[Any] = model._default_manager
    if not isinstance(manager, TenantManager):
        yield Error("The default manager is not scoped to a tenant.", obj=model, id="tenancy.E002")
    if not hasattr(model, "model_link"):
        hint = "Name the foreign key that leads to its registered model, or None."
        yield Error("The table states no model_link.", hint=hint, obj=model, id="tenancy.E005")
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields[:1] != ("tenant",):
            yield Error(f"{constraint.name} does not begin with the tenant.", obj=model, id="tenancy.E003")
    for field in model._meta.local_fields:
        if field.unique and not field.primary_key and not isinstance(field, models.OneToOneField):
            yield Error(f"{field.name} is unique across tenants.", obj=model, id="tenancy.E004")
