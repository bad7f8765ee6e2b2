"""Gives every tenant table its constraints of the second wall, so that nobody can forget them."""

from collections.abc import Iterator

from django.apps import apps
from django.db import models

from mlplatform.tenancy.models import TenantModel
from mlplatform.tenancy.rls import PostgresConstraint, RowLevelSecurity, SameTenant, TenantKey

TenantLink = models.ForeignKey[models.Model, models.Model]


def tenant_models() -> list[type[TenantModel]]:
    """Return every concrete model whose rows belong to tenants."""
    return [model for model in apps.get_models(include_auto_created=True) if issubclass(model, TenantModel)]


def tenant_links(model: type[TenantModel]) -> list[TenantLink]:
    """Return the model's foreign keys that lead to tenants' rows."""
    return [
        field
        for field in model._meta.local_fields
        if isinstance(field, models.ForeignKey) and issubclass(field.related_model, TenantModel)
    ]


def raise_walls() -> None:
    """Add the constraints to the Meta of each tenant model, where makemigrations reads them."""
    linked = {link.related_model for model in tenant_models() for link in tenant_links(model)}
    for model in tenant_models():
        options = model._meta
        options.constraints = [*options.constraints, *_wall(model, linked=model in linked)]
        options.original_attrs["constraints"] = options.constraints


def _wall(model: type[TenantModel], *, linked: bool) -> Iterator[PostgresConstraint]:
    table = model._meta.db_table
    yield RowLevelSecurity(name=f"{table}_tenant_rows")
    if linked:
        yield TenantKey(name=f"{table}_tenant_key")
    for link in tenant_links(model):
        yield SameTenant(field=link.name, name=f"{table}_{link.name}_same_tenant")
