"""A trail that was tampered with is found out, and the place is named."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Barrier
from typing import Any

import pytest
from django.db import connection

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.chain import entry_of, seal
from mlplatform.tenancy.models import AuditEvent, AuditHead, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services import audit_chain
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.audit_chain import in_batches, verify_chain
from mlplatform.tenancy.services.tenants import create_tenant
from tests.plugins.application_role import whole_database

EVENTS, HEADS = "tenancy_auditevent", "tenancy_audithead"


@contextmanager
def owner_of_the_database() -> Iterator[None]:
    """Switch off PostgreSQL's triggers, as whoever owns the tables can."""
    with whole_database(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            for table in (EVENTS, HEADS):
                cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield


def tamper(*statements: tuple[str, list[Any]]) -> None:
    with owner_of_the_database(), connection.cursor() as cursor:
        for statement, values in statements:
            cursor.execute(statement, values)


@pytest.fixture
def trail(in_tenant: Tenant) -> list[AuditEvent]:
    """Six entries, beginning with the tenant's own."""
    for number in range(2, 7):
        details: dict[str, Any] = {"number": number / 3, "big": 1e23, "name": "Ann ☺"}
        record(by=SYSTEM, action="step", target=in_tenant, after={"step": number}, **details)
    return list(AuditEvent.objects.order_by("sequence"))


def broken_at() -> tuple[int, int | None, str]:
    broken = verify_chain().broken
    assert broken is not None
    return broken.sequence, broken.event_id, broken.problem


def test_a_whole_trail_verifies_after_a_round_trip_through_the_database(trail: list[AuditEvent]) -> None:
    verdict = verify_chain()
    assert (verdict.events, verdict.hash, verdict.broken) == (6, trail[-1].hash, None)


@pytest.mark.parametrize("column", ["action", "actor_label", "object_label", "object_id", "request_id"])
def test_a_changed_row_is_named(trail: list[AuditEvent], column: str) -> None:
    tamper(
        (
            "UPDATE tenancy_auditevent SET COLUMN = 'forged' WHERE id = %s".replace("COLUMN", column),
            [trail[2].pk],
        )
    )
    assert broken_at() == (3, trail[2].pk, "the entry was changed after it was written")


@pytest.mark.parametrize("column", ["before", "after", "details"])
def test_changed_content_is_named(trail: list[AuditEvent], column: str) -> None:
    tamper(
        (
            "UPDATE tenancy_auditevent SET COLUMN = '{}' WHERE id = %s".replace("COLUMN", column),
            [trail[3].pk],
        ),
    )
    assert broken_at()[:2] == (4, trail[3].pk)


def test_a_row_that_was_changed_and_sealed_anew_breaks_the_next_link(trail: list[AuditEvent]) -> None:
    trail[2].action = "forged"
    forged = seal(entry_of(trail[2]))
    tamper(
        ("UPDATE tenancy_auditevent SET action = 'forged', hash = %s WHERE id = %s", [forged, trail[2].pk])
    )
    assert broken_at() == (4, trail[3].pk, "the entry does not follow from the one before it")


def test_a_deleted_row_is_named(trail: list[AuditEvent]) -> None:
    tamper(("DELETE FROM tenancy_auditevent WHERE id = %s", [trail[3].pk]))
    assert broken_at() == (4, trail[4].pk, "entry 4 is missing: the next one there is number 5")


def test_rows_cut_off_at_the_end_are_missed(trail: list[AuditEvent]) -> None:
    tamper(("DELETE FROM tenancy_auditevent WHERE sequence > %s", [4]))
    assert broken_at() == (5, None, "entries 5 to 6 are missing at the end of the trail")


def test_two_swapped_rows_are_named(trail: list[AuditEvent]) -> None:
    change = "UPDATE tenancy_auditevent SET sequence = %s WHERE id = %s"
    tamper((change, [99, trail[1].pk]), (change, [2, trail[3].pk]), (change, [4, trail[1].pk]))
    assert broken_at()[:2] == (2, trail[3].pk)


def test_a_row_slipped_in_at_the_end_is_named(trail: list[AuditEvent]) -> None:
    columns = [str(field.column) for field in AuditEvent._meta.concrete_fields if field.column != "id"]
    names = ", ".join(f'"{name}"' for name in columns)
    values = ", ".join({"sequence": "7", "prev_hash": "hash"}.get(name, f'"{name}"') for name in columns)
    insert = "INSERT INTO tenancy_auditevent (NAMES) SELECT VALUES FROM tenancy_auditevent WHERE id = %s"
    insert = insert.replace("NAMES", names).replace("VALUES", values)
    tamper((insert, [trail[5].pk]))
    assert broken_at()[0] == 7


def test_another_tenants_row_is_no_substitute(trail: list[AuditEvent], other_tenant: Tenant) -> None:
    tamper(
        ("DELETE FROM tenancy_auditevent WHERE id = %s", [trail[0].pk]),
        (
            "UPDATE tenancy_auditevent SET tenant_id = %s WHERE tenant_id = %s",
            [trail[0].tenant_id, other_tenant.pk],
        ),
    )
    assert broken_at()[0] == 1


def test_a_head_that_was_set_back_or_removed_is_found(trail: list[AuditEvent]) -> None:
    tamper(("UPDATE tenancy_audithead SET sequence = 5 WHERE tenant_id = %s", [trail[0].tenant_id]))
    assert broken_at()[2] == "the head of the trail does not point at its last entry"
    tamper(("DELETE FROM tenancy_audithead WHERE tenant_id = %s", [trail[0].tenant_id]))
    assert broken_at()[2] == "the head of the trail is missing"


def test_an_anchor_kept_elsewhere_finds_a_rewritten_trail(trail: list[AuditEvent]) -> None:
    assert verify_chain(anchors={4: trail[3].hash}).broken is None
    rewritten = verify_chain(anchors={4: "0" * 64}).broken
    assert rewritten is not None
    assert rewritten.sequence == 4
    beyond = verify_chain(anchors={9: "0" * 64}).broken
    assert beyond is not None
    assert beyond.problem == "entries 7 to 9 are missing at the end of the trail"


def test_a_long_trail_is_read_in_parts(trail: list[AuditEvent], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_chain, "READ_AT_ONCE", 2)
    assert verify_chain().events == 6
    read = in_batches(AuditEvent.objects.all(), trail[0].tenant, upto=5)
    assert [event.sequence for event in read] == [1, 2, 3, 4, 5]


@pytest.mark.django_db(transaction=True)
def test_entries_appended_at_once_make_one_whole_chain() -> None:
    tenants = [create_tenant(slug=slug, name=slug, by=SYSTEM) for slug in ("north", "south")]
    start = Barrier(4)

    def append(tenant: Tenant) -> Callable[[], None]:
        def run() -> None:
            start.wait(timeout=30)
            try:
                for number in range(15):
                    with tenant_scope(tenant), tenant_transaction():
                        record(by=SYSTEM, action="raced", target=tenant, number=number)
            finally:
                connection.close()

        return run

    with ThreadPoolExecutor(4) as threads:
        for done in [threads.submit(append(tenant)) for tenant in (*tenants, *tenants)]:
            done.result()
    for tenant in tenants:
        with tenant_scope(tenant):
            assert (verify_chain().events, verify_chain().broken) == (31, None)


@pytest.mark.django_db(transaction=True)
def test_the_first_entries_may_be_appended_at_once() -> None:
    tenant = Tenant.objects.create(slug="new", name="New")
    start = Barrier(4)

    def append(number: int) -> None:
        start.wait(timeout=30)
        try:
            with tenant_scope(tenant), tenant_transaction():
                record(by=SYSTEM, action="raced", target=tenant, number=number)
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(append, range(4)))
    with tenant_scope(tenant):
        assert (verify_chain().events, verify_chain().broken) == (4, None)
        assert AuditHead.objects.count() == 1
