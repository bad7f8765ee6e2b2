"""Audit events are added, and nothing else."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.db.models import ProtectedError

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, AuditHead, ImmutableRow, Tenant
from mlplatform.tenancy.services.audit import record

pytestmark = pytest.mark.usefixtures("in_tenant")

REWRITES: dict[str, Callable[[AuditEvent], Any]] = {
    "save": lambda event: event.save(),
    "delete": lambda event: event.delete(),
    "update": lambda _: AuditEvent.objects.update(action="x"),
    "update through the base manager": lambda _: AuditEvent._base_manager.update(action="x"),
    "forced update": lambda event: AuditEvent(pk=event.pk, action="x").save_base(force_update=True),
    "bulk_update": lambda event: AuditEvent.objects.bulk_update([event], ["action"]),
    "bulk_create": lambda _: AuditEvent.objects.bulk_create([AuditEvent(action="x")]),
    "update_or_create": lambda event: AuditEvent.objects.update_or_create({"action": "x"}, pk=event.pk),
    "delete of many": lambda _: AuditEvent.all_tenants.all().delete(),
    "raw delete": lambda event: AuditEvent._base_manager.filter(pk=event.pk)._raw_delete("default"),
}


@pytest.mark.parametrize("way", REWRITES)
def test_no_way_of_the_orm_rewrites_history(way: str) -> None:
    event = AuditEvent.objects.latest("sequence")
    # On PostgreSQL some ways end earlier: the application's role may not even lock the row.
    with pytest.raises((ImmutableRow, DatabaseError)), transaction.atomic():
        REWRITES[way](event)
    assert AuditEvent.objects.latest("sequence").entry() == event.entry()


def test_a_tenant_with_a_trail_cannot_be_deleted(in_tenant: Tenant) -> None:
    with pytest.raises(ProtectedError):
        in_tenant.delete()


def test_entries_are_numbered_linked_and_counted_by_the_head(in_tenant: Tenant) -> None:
    first, second = (record(by=SYSTEM, action=f"step.{n}", target=in_tenant) for n in (1, 2))
    assert second.sequence == first.sequence + 1
    assert second.prev_hash == first.hash
    assert str(AuditHead.objects.get()) == f"{second.sequence}:{second.hash}"


def test_an_entry_that_was_undone_leaves_no_gap(in_tenant: Tenant) -> None:
    before = str(AuditHead.objects.get())
    with transaction.atomic():
        record(by=SYSTEM, action="undone", target=in_tenant)
        transaction.set_rollback(True)
    assert str(AuditHead.objects.get()) == before


@pytest.mark.needs_postgres
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE tenancy_auditevent SET action = 'x'",
        "DELETE FROM tenancy_auditevent",
        "DELETE FROM tenancy_audithead",
        "UPDATE tenancy_audithead SET sequence = 1",
    ],
)
def test_postgresql_itself_refuses(statement: str) -> None:
    record(by=SYSTEM, action="second", target=AuditEvent)
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
