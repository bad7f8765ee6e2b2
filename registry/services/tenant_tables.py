"""A tenant's tables as they leave and arrive: which there are, in which order, and a row as plain JSON.

All of it follows from the models, so a new table leaves and arrives by itself.
"""

from collections.abc import Iterator
from datetime import date, time
from graphlib import TopologicalSorter
from math import isfinite
from typing import Any, TypeAlias
from uuid import UUID

from django.core.exceptions import ValidationError
from django.db import models

from mlplatform.tenancy.models import AuditEvent, AuditHead, DataKey, RequestCount, TenantModel, User
from mlplatform.tenancy.models.sealed import SealedText
from mlplatform.tenancy.walls import tenant_links, tenant_models
from registry.errors import InvalidArchive
from registry.models import KeptAnswer
from registry.models.fields import StoredFile

# Tables whose rows mean nothing elsewhere, each for a reason.
STAYS: dict[type[TenantModel], str] = {
    DataKey: "what they seal leaves in the clear; the key of pseudonyms leaves in the manifest",
    RequestCount: "the counters of the running minute",
    KeptAnswer: "answers to requests that may be repeated, for some hours",
}
# They name rows of other tables in text, so they arrive last.
LAST = (AuditEvent, AuditHead)
READ_AT_ONCE = 1_000
Field: TypeAlias = "models.Field[Any, Any]"


def departing_tables() -> list[type[TenantModel]]:
    """Return every table that leaves with a tenant, linked ones first."""
    graph: dict[Any, set[Any]] = {
        model: {link.related_model for link in tenant_links(model)} - {model}
        for model in sorted(tenant_models(), key=lambda model: model._meta.label_lower)
        if model not in STAYS
    }
    ordered: list[type[TenantModel]] = list(TopologicalSorter(graph).static_order())
    return [*(model for model in ordered if model not in LAST), *LAST]


def columns(model: type[models.Model]) -> list[Field]:
    """Return the columns that leave: all but the tenant's own."""
    return [field for field in model._meta.concrete_fields if field.name != "tenant"]


def entry_name(model: type[models.Model]) -> str:
    """Return where the table lies in an archive."""
    return f"tables/{model._meta.label_lower}.jsonl"


def file_entry(row: models.Model, field: StoredFile) -> str:
    """Return where the row's file lies in an archive."""
    return f"files/{row._meta.label_lower}.{field.name}/{row.pk}"


def rows_of(model: type[TenantModel]) -> Iterator[TenantModel]:
    """Yield the active tenant's rows by their keys, at flat memory."""
    last = None
    while True:
        rows = model.objects.order_by("pk")
        batch = list((rows if last is None else rows.filter(pk__gt=last))[:READ_AT_ONCE])
        yield from batch
        if len(batch) < READ_AT_ONCE:
            return
        last = batch[-1].pk


def row_to_json(row: models.Model) -> dict[str, Any]:
    """Return the row as it leaves: files by their place in the archive, accounts by address."""
    return {field.attname: _leaving(row, field) for field in columns(type(row))}


def _leaving(row: models.Model, field: Field) -> Any:
    value = getattr(row, field.attname)
    if value is None:
        return None
    if isinstance(field, StoredFile):
        return file_entry(row, field) if value else ""
    if isinstance(field, SealedText):
        return ""  # sealed with a key that stays here: it is entered again where the tenant arrives
    if isinstance(field, models.ForeignKey) and not issubclass(field.related_model, TenantModel):
        return getattr(row, field.name).email if field.related_model is User else None
    if isinstance(value, date | time):  # a moment is a date, too
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, float) and not isfinite(value):
        return str(value)
    return value


def row_values(model: type[models.Model], row: dict[str, Any]) -> dict[str, Any]:
    """Return the values of an arriving row by column; links and files are still the archive's.

    Raises InvalidArchive for columns that the table does not have, and for values that do not fit.
    """
    known = {field.attname: field for field in columns(model)}
    unknown = sorted(set(row) - set(known))
    if unknown:
        raise InvalidArchive(
            f"{model._meta.label} has no columns {', '.join(unknown)[:200]}: "
            "a newer release wrote the archive."
        )
    return {
        name: value if known[name].is_relation else _arriving(known[name], value)
        for name, value in row.items()
    }


def _arriving(field: Field, value: Any) -> Any:
    try:
        return field.to_python(value)
    except (ValidationError, ValueError, TypeError, OverflowError) as error:
        raise InvalidArchive(f"{field.model._meta.label}.{field.name} holds {str(value)[:80]!r}.") from error
