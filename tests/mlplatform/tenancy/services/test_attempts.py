"""Refused attempts are recorded, counted, and cannot flood the trail."""

import logging

import pytest
from pytest_django import Settings

from mlplatform.tenancy.actors import ANONYMOUS, SYSTEM, Actor
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services import attempts
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import Subject
from mlplatform.tenancy.services.audit_chain import verify_chain

pytestmark = pytest.mark.usefixtures("in_tenant")
ROUTE = Subject("route", "api:model", "GET /api/v1/models/x")


@pytest.fixture(autouse=True)
def _three_a_minute(settings: Settings) -> None:
    settings.AUDIT_ATTEMPTS_PER_MINUTE = 3


def attempt(times: int = 1, by: Actor = SYSTEM, target: Subject = ROUTE) -> list[AuditEvent]:
    made = [record_attempt(by=by, action="access.denied", target=target) for _ in range(times)]
    return [event for event in made if event is not None]


def test_no_more_rows_a_minute_than_the_limit(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        assert len(attempt(8)) == 3
    assert AuditEvent.objects.filter(action="access.denied").count() == 3
    assert caplog.text.count("not in the audit trail") == 5
    assert verify_chain().broken is None


def test_each_actor_and_each_target_has_a_count_of_its_own() -> None:
    other = Subject("route", "api:job", "GET /api/v1/jobs/1")
    assert len(attempt(9)) + len(attempt(9, by=ANONYMOUS)) + len(attempt(9, target=other)) == 9


def test_the_next_row_says_how_many_were_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    attempt(8)
    monkeypatch.setattr(attempts, "WINDOW", attempts.WINDOW * 0)  # the minute is over
    assert [event.details for event in attempt(2)] == [{"not_recorded": 5}, {}]


def test_another_tenants_attempts_do_not_count(in_tenant: Tenant, other_tenant: Tenant) -> None:
    attempt(3)
    with tenant_scope(other_tenant), tenant_transaction():
        assert len(attempt(1)) == 1
