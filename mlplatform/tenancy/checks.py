"""System checks that keep the tenant wall whole as tables are added."""

from collections.abc import Iterator, Sequence
from typing import Any

from django.apps import AppConfig, apps
from django.core.checks import CheckMessage, Error, register
from django.db import models

from mlplatform.tenancy.models import TenantManager, TenantModel

OUR_APPS = ("mlplatform", "tenancy", "registry", "training", "feedback", "monitoring")
# Tables of the platform itself, which belong to no tenant, each for a reason.
EXEMPT = {
    "tenancy.Tenant": "it is the tenant",
    "tenancy.User": "a person may be a member of several tenants",
    "mlplatform.Heartbeat": "a process serves all tenants",
}


def our_models() -> Iterator[type[models.Model]]:
    """Yield every concrete model of the platform's own apps."""
    for label in OUR_APPS:
        yield from apps.get_app_config(label).get_models(include_auto_created=True)


@register()
def check_tenant_models(app_configs: Sequence[AppConfig] | None, **kwargs: Any) -> list[CheckMessage]:
    """Each table belongs to a tenant or is exempt; unique constraints name the tenant; the manager is scoped."""
    found: list[CheckMessage] = []
    for model in our_models():
        if model._meta.label in EXEMPT:
            continue
        if not issubclass(model, TenantModel):
            found.append(
                Error("The table belongs to no tenant.", hint="Derive it from TenantModel.", obj=model, id="tenancy.E001")
            )
            continue
        if not isinstance(model._default_manager, TenantManager):
            found.append(Error("The default manager is not scoped to the tenant.", obj=model, id="tenancy.E002"))
        found.extend(_unscoped_uniqueness(model))
    return found


def _unscoped_uniqueness(model: type[TenantModel]) -> Iterator[CheckMessage]:
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint) and "tenant" not in constraint.fields:
            yield Error(f"{constraint.name} does not name the tenant.", obj=model, id="tenancy.E003")
    for field in model._meta.local_fields:
        if field.unique and not field.primary_key and not isinstance(field, models.OneToOneField):
            yield Error(f"{field.name} is unique across tenants.", obj=model, id="tenancy.E004")
