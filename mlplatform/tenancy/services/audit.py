"""Writing the audit trail."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db import connection, models

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.chain import plain_address
from mlplatform.tenancy.models import AuditEvent
from mlplatform.tenancy.redaction import clean_text, storable
from mlplatform.tenancy.request_context import current_request


@dataclass(frozen=True)
class Subject:
    """What an entry is about: a kind such as ``registry.dataset``, the id within it, and a name to show."""

    kind: str
    id: str
    label: str


Target = models.Model | type[models.Model] | Subject


def record(
    *,
    by: Actor,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    **details: Any,
) -> AuditEvent:
    """Append one event to the active tenant's trail; call it in the transaction of what it tells of.

    ``action`` is a dotted verb such as ``model.promoted``. ``target`` is a row, or a table where the action
    concerns no single row. ``before`` and ``after`` hold the fields that changed: only ``after`` for what is
    new, only ``before`` for what is gone. Secrets are left out, whatever is passed.
    """
    request, subject = current_request(), subject_of(target)
    return AuditEvent.objects.create(
        actor_kind=by.kind,
        actor_label=clean_text(by.label, 200),
        actor_id=by.id,
        action=action,
        object_type=subject.kind,
        object_id=subject.id,
        object_label=subject.label,
        before=None if before is None else storable(before),
        after=None if after is None else storable(after),
        details=storable(details),
        request_id=request.request_id,
        address=plain_address(request.address),
    )


def wait_for_no_disk() -> None:
    """Let the running transaction, which wrote nothing but entries about reads, commit without a disk flush.

    It stays atomic and in its place in the chain. Where PostgreSQL itself crashes, the reads of its last
    moments (at most three times ``wal_writer_delay``, 0.6 s) may go unrecorded; any other entry flushes them.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('synchronous_commit', 'off', true)")


def subject_of(target: Target) -> Subject:
    """Return how the trail names a row, a table or anything else."""
    if isinstance(target, Subject):
        return Subject(target.kind, clean_text(target.id, 60), clean_text(target.label, 300))
    kind = target._meta.label_lower
    if isinstance(target, models.Model):
        return Subject(kind, str(target.pk), clean_text(str(target), 300))
    return Subject(kind, "", str(target._meta.verbose_name_plural))


def fields_of(row: models.Model, *left_out: str) -> dict[str, Any]:
    """Return the row's fields, for ``before`` and ``after``, but its key, its tenant and ``left_out``."""
    plain = {"id", "tenant_id", *left_out}
    return {
        field.attname: getattr(row, field.attname)
        for field in row._meta.concrete_fields
        if field.attname not in plain
    }
