"""A row of every tenant table, also of tables that nobody has thought of here."""

import uuid
from datetime import timedelta
from functools import cache
from typing import Any

from django.db import IntegrityError, connection, models, transaction
from django.utils import timezone

from mlplatform.tenancy.models import Membership, Tenant, TenantModel, User
from mlplatform.tenancy.scope import current_tenant_id
from mlplatform.tenancy.walls import tenant_models
from tests.plugins.application_role import whole_database
from tests.rows import Question, as_stored, question

STEP = 1_000_000
VALUES: list[tuple[Any, Any]] = [
    (models.BooleanField, False),
    (models.IntegerField, 1),
    (models.FloatField, 0.5),
    (models.DecimalField, 1),
    (models.BinaryField, b"content"),
    (models.UUIDField, uuid.uuid4),
    (models.DateTimeField, timezone.now),
    (models.DateField, timezone.now),
    (models.DurationField, timedelta(days=1)),
    (models.GenericIPAddressField, "192.0.2.1"),
    (models.JSONField, dict),
    (models.CharField, "text"),
    (models.TextField, "text"),
]


def complete() -> None:
    """Give the active tenant a row in each table that has none yet."""
    for model in tenant_models():
        newest(model)


def newest(model: type[TenantModel]) -> Any:
    """Return the active tenant's newest row of the table; one is made where there is none."""
    row = model.objects.order_by("-pk").first()
    return row if row is not None else make(model)


def make(model: type[TenantModel]) -> TenantModel:
    """Make a row out of nothing but the fields' types; raises where the table wants more than that.

    Where a constraint wants one of several links, each is tried.
    """
    fields = [one for one in model._meta.concrete_fields if not one.primary_key and one.name != "tenant"]
    needed = [one for one in fields if not (one.null or one.has_default())]
    links = [[one] for one in fields if one.null and isinstance(one, models.ForeignKey)]
    failures = []
    for more in ([], *links):
        try:
            with transaction.atomic():
                row = model(**{field.attname: value_for(field) for field in [*needed, *more]})
                row.save()
        except IntegrityError as error:
            failures.append(str(error))
        else:
            return row
    raise AssertionError(f"Give {model._meta.label} a row in tests/world.py: {failures}")


def value_for(field: Any) -> Any:
    """Return a value that fits the field."""
    if isinstance(field, models.ForeignKey):
        return row_for(field.related_model).pk
    if field.choices:
        return field.flatchoices[0][0]
    value = next(value for kind, value in VALUES if isinstance(field, kind))
    return value() if callable(value) else value


def row_for(model: Any) -> Any:
    """Return a row that a link may lead to."""
    if issubclass(model, TenantModel):
        return newest(model)
    return newest(Membership).user if issubclass(model, User) else model._default_manager.first()


def number_from(start: int) -> None:
    """Let the keys of new rows begin at ``start``, each table a million apart: no key is another's."""
    every: list[type[models.Model]] = [Tenant, User, *tenant_models()]
    tables = [model for model in every if is_counted(model)]
    with whole_database(), connection.cursor() as cursor:
        for place, model in enumerate(tables, 1):
            table, first = model._meta.db_table, start + place * STEP
            if connection.vendor == "postgresql":
                cursor.execute("SELECT setval(pg_get_serial_sequence(%s, 'id'), %s)", [table, first])
            else:
                cursor.execute("DELETE FROM sqlite_sequence WHERE name = %s", [table])
                cursor.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (%s, %s)", [table, first])


def is_counted(model: type[models.Model]) -> bool:
    """Tell whether the table's keys are counted up."""
    return isinstance(model._meta.pk, models.AutoField)


def fingerprint() -> dict[str, list[Any]]:
    """Return the active tenant's rows by table, in a form that can be compared."""
    tenant = current_tenant_id()
    found = {model._meta.label: as_stored(rows_of(model, tenant)) for model in tenant_models()}
    return {label: sorted(map(repr, rows)) for label, rows in found.items()}


@cache
def rows_of(model: type[TenantModel], active: int) -> Question:
    """Return how the active tenant's rows are asked for."""
    return question(model.objects.values_list())
