"""A tenant's task names its tenant, or it is not sent and does not run."""

from pathlib import Path
from typing import Any

import pytest
from celery import shared_task
from django.db import transaction
from kombu import Connection

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, AuditEvent, Tenant
from mlplatform.tenancy.scope import active_tenant, current_tenant, tenant_scope
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.tasks import MissingTenantError, TenantTask


@shared_task(base=TenantTask, name="tests.whose")
def whose(greeting: str) -> str:
    return f"{greeting} {current_tenant().slug}"


@shared_task(base=TenantTask, name="tests.keys")
def count_keys() -> int:
    return int(ApiKey.objects.count())


def test_task_runs_in_the_scope_of_its_tenant(tenant: Tenant) -> None:
    assert whose("hello", tenant_id=tenant.pk) == "hello clinic"
    assert active_tenant() is None


@shared_task(base=TenantTask, name="tests.told")
def tell() -> None:
    record(by=SYSTEM, action="told", target=current_tenant())


def test_entries_of_a_task_carry_the_id_of_its_message(tenant: Tenant) -> None:
    tell.apply(kwargs={"tenant_id": tenant.pk}, task_id="message-0001", throw=True)
    with tenant_scope(tenant):
        assert AuditEvent.objects.get(action="told").request_id == "message-0001"


def test_task_sent_without_a_tenant_is_refused_at_once() -> None:
    for send in (whose.delay, whose.delay_on_commit):
        with pytest.raises(MissingTenantError, match="whose does not say for which tenant"):
            send("hello")


def test_task_run_without_a_tenant_is_refused(tenant: Tenant) -> None:
    with tenant_scope(tenant), pytest.raises(MissingTenantError):
        whose("hello")


def test_tasks_tenant_wins_over_the_senders(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        assert whose("hello", tenant_id=tenant.pk) == "hello clinic"
        assert current_tenant() == other_tenant


def test_a_message_for_a_tenant_that_was_erased_does_nothing(db: None) -> None:
    assert count_keys(tenant_id=999_999) is None


@pytest.mark.django_db(transaction=True)
def test_a_broker_that_is_away_fails_nothing_that_was_committed(
    tenant: Tenant, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = {"data_folder_in": str(tmp_path / "gone"), "data_folder_out": str(tmp_path / "gone")}
    message: dict[str, Any] = {"args": ("hello",), "kwargs": {"tenant_id": tenant.pk}, "retry": False}
    with Connection("filesystem://", transport_options=gone) as away:
        with pytest.raises(FileNotFoundError):
            whose.apply_async(**message, connection=away)
        with transaction.atomic():
            whose.apply_async_on_commit(**message, connection=away)
    assert "Error calling" in caplog.text
