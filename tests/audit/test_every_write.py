"""Every way to change something leaves its entry, together with the change or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from io import BytesIO
from typing import Any

import pytest
from django.apps import apps
from django.db import DatabaseError, connection, transaction
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant, TenantModel, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.walls import tenant_models
from tests.audit.recipes import Scene, api_writes, console_writes
from tests.audit.writes import Write, api_ways, console_ways
from tests.conftest import ApiFor, ConsoleFor
from tests.console import furnish
from tests.mlplatform.identity.provider import Provider
from tests.plugins.application_role import whole_database
from tests.rows import Question, as_stored, question

REQUEST_ID = "audit-walk-0001"
NO_CHANGE = {
    "registry.dataset difference": "tells what differs, and keeps nothing",
    "POST explain": "asks the model, and keeps nothing",
    "registry.prediction explain": "as above",
    "POST check-data": "looks at a dataset, and keeps nothing",
    "POST suggest-algorithms": "as above",
    "POST source-try": "asks for first rows, and keeps nothing",
    "POST source-preview": "as above",
    "training.datasource preview": "as above",
    "POST compare-reference": "shows a comparison, and keeps nothing",
    "registry.registeredmodel compare-reference": "as above",
    "POST predict": "what was predicted is a record of its own, the log of predictions",
    "POST invocations": "as predict",
    "POST mlflow-invocations": "as predict",
    "POST infer": "as predict",
    "POST version-infer": "as predict",
    "POST treat-log": "starts work in the background, which leaves its entry when it is done",
    "registry.registeredmodel treat-log": "as above",
    "tenancy.user activate": "as deactivate",
    "tenancy.tenant activate": "as deactivate",
    "registry.registeredmodel policy": "leads to the policy's page",
    "registry.modelversion promote_selected": "leads to the page that asks for the reason",
    "training.batchjob progress": "as below",
    "training.batchjob download": "sends the answers, and its entry tells who took them",
    "training.batchjob errors": "as above",
    "training.trainingjob progress": "shows how far a job is",
    "registry.modelversion compare": "shows what the versions are",
    "registry.modelversion compare_selected": "as above",
    "training.trainingjob compare": "as above",
    "training.trainingjob compare_selected": "as above",
    "registry.modelversion report": "sends what the page shows",
    "registry.modelversion card": "as above",
    "registry.registeredmodel past": "tells what ran",
    "registry.registeredmodel best": "tells which version is best",
    "registry.registeredmodel monitoring": "shows what was measured",
    "registry.registeredmodel report": "tells of what was, and its entry tells who had it made",
    "registry.registeredmodel rollback-check": "tells what outcomes prove",
    "monitoring.retrainingpolicy preview": "tells what it would have done",
    "POST rollback-check": "rolls back as POST rollback does, where it is due; its own tests see its entry",
}
OF_NEW_ROWS = {
    "api_key.created",
    "member.added",
    "tenant.created",
    "model.created",
    "dataset.frozen",
    "job.created",
    "batch.created",
    "schedule.created",
    "alert_rule.created",
    "channel.created",
    "report_schedule.created",
}
OF_GONE_ROWS = {
    "member.removed",
    "schedule.deleted",
    "alert_rule.deleted",
    "channel.deleted",
    "report_schedule.deleted",
}
# The entry has the key, the tenant and the time of itself; columns and profiles hold values of the data.
NEVER_TOLD = {"id", "tenant_id", "created_at", "columns", "profile", "credential"}
# What a request notes of itself: when a key was used, how many requests there were.
OF_THE_REQUEST = {"last_used_at", "last_used_from", "last_login"}
NOT_COMPARED = {"tenancy.auditevent", "tenancy.audithead", "tenancy.requestcount"}


@pytest.fixture
def scene(tenant: Tenant, other_tenant: Tenant, settings: Settings) -> Scene:
    settings.SOCIALACCOUNT_PROVIDERS = Provider("https://id.corp.example").settings()
    return Scene(furnish(tenant))


@contextmanager
def undone() -> Iterator[None]:
    """Take back whatever happens in the block."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


@contextmanager
def full_trail() -> Iterator[None]:
    """Let the database refuse every new entry of the trail."""
    with transaction.atomic():
        with whole_database(), connection.cursor() as cursor:
            for statement in REFUSAL[connection.vendor]:
                cursor.execute(statement)
        yield
        transaction.set_rollback(True)


TRAIL_FULL = "CREATE {} full_trail BEFORE INSERT ON tenancy_auditevent {}"
REFUSE = "CREATE FUNCTION full_trail() RETURNS trigger LANGUAGE plpgsql AS $$ {} $$".format(
    "BEGIN RAISE 'the trail is full'; END"
)
REFUSAL = {
    "sqlite": [TRAIL_FULL.format("TEMP TRIGGER", "BEGIN SELECT RAISE(ABORT, 'the trail is full'); END")],
    "postgresql": [
        "SET CONSTRAINTS ALL IMMEDIATE",
        REFUSE,
        TRAIL_FULL.format("TRIGGER", "FOR EACH ROW EXECUTE FUNCTION full_trail()"),
    ],
}


def everything() -> dict[str, list[Any]]:
    """Return the rows of all tenants, but what a request notes of itself."""
    every: list[Any] = [*tenant_models(), Tenant, User]
    tables = {model._meta.label_lower: model for model in every}
    with whole_database():
        return {
            name: as_stored(every_row(model)) for name, model in tables.items() if name not in NOT_COMPARED
        }


@cache
def every_row(model: Any) -> Question:
    names = [field.attname for field in model._meta.concrete_fields if field.attname not in OF_THE_REQUEST]
    manager = model.all_tenants if issubclass(model, TenantModel) else model.objects
    return question(manager.order_by("pk").values_list(*names))


def entries(after: int) -> list[AuditEvent]:
    with whole_database():
        return list(AuditEvent.all_tenants.filter(pk__gt=after).order_by("pk"))


def newest() -> int:
    with whole_database():
        return AuditEvent.all_tenants.order_by("-pk").values_list("pk", flat=True).first() or 0


def send(client: Client, way: str, write: Write) -> Any:
    """Send what changes something, as the API or the console takes it."""
    for value in write.body.values():
        if isinstance(value, BytesIO):
            value.seek(0)
    method = way.split()[0] if isinstance(client, APIClient) else "POST"
    if write.lines:
        return client.generic(
            method, write.address, write.lines, "text/csv", headers={"X-Request-ID": REQUEST_ID}
        )
    form = {"format": "multipart" if write.multipart else "json"} if isinstance(client, APIClient) else {}
    call = getattr(client, method.lower())
    return call(write.address, write.body, headers={"X-Request-ID": REQUEST_ID}, **form)


def wrong_entry(client: Client, way: str, write: Write, actor_kind: str) -> str:
    """Make the change; return what its entry leaves open: who did what to which object, in which request."""
    before = newest()
    answer = send(client, way, write)
    said = b"".join(answer).decode(errors="replace")[-1000:]
    told = [entry for entry in entries(before) if entry.action == write.action]
    if answer.status_code not in {200, 201, 202, 204, 302} or not told:
        return f"{answer.status_code}, {[entry.action for entry in entries(before)]}: {said}"
    entry = told[0]
    if missing := not_told(entry):
        return f"not told: {missing}"
    found = (entry.actor_kind, entry.actor_id is not None, entry.request_id, entry.address)
    wanted = (actor_kind, True, REQUEST_ID, "127.0.0.1")
    return "" if found == wanted and entry.object_type else f"{found} about {entry.object_type!r}"


def not_told(entry: AuditEvent) -> set[str]:
    """Return the columns of a new or deleted row that its entry leaves out."""
    told = entry.after if entry.action in OF_NEW_ROWS else entry.before
    if entry.action not in OF_NEW_ROWS | OF_GONE_ROWS:
        return set()
    model = apps.get_model(entry.object_type)
    return {field.attname for field in model._meta.concrete_fields} - set(told or {}) - NEVER_TOLD


def left_behind(client: Client, way: str, write: Write) -> list[str]:
    """Try the change where no entry can be written; return the tables that changed all the same."""
    with full_trail():
        before, already = everything(), newest()
        b"".join(send(client, way, write))
        after = everything()
        assert newest() == already, way
    return [name for name, rows in after.items() if rows != before[name]]


def walk(client_of: Callable[[str], Client], writes: dict[str, Write], actor_kind: str) -> None:
    """Make every change once, and once more where no entry can be written."""
    wrong, apart = {}, {}
    for way, write in writes.items():
        client = client_of(way)
        client.raise_request_exception = False
        with undone():
            wrong[way] = wrong_entry(client, way, write, actor_kind)
        apart[way] = left_behind(client, way, write)
    assert {way: what for way, what in wrong.items() if what} == {}
    assert {way: what for way, what in apart.items() if what} == {}


def test_no_way_is_left_out(scene: Scene) -> None:
    assert api_ways() == set(api_writes(scene)) | (NO_CHANGE.keys() & api_ways())
    assert console_ways() == set(console_writes(scene)) | (NO_CHANGE.keys() & console_ways())
    assert set(NO_CHANGE) <= api_ways() | console_ways()


def test_every_change_over_the_api_is_recorded_with_it(scene: Scene, api_for: ApiFor) -> None:
    client = api_for(scene.made.tenant)
    walk(lambda _: client, api_writes(scene), "api_key")


def test_every_change_in_the_console_is_recorded_with_it(scene: Scene, console_for: ConsoleFor) -> None:
    admin, owner = console_for(scene.made.tenant), console_for(scene.made.tenant, "owner")
    User.objects.filter(email="owner@clinic.example").update(is_superuser=True)
    of_the_installation = ("tenancy.tenant ", "tenancy.user ", "identity.claimmapping ")
    walk(lambda way: owner if way.startswith(of_the_installation) else admin, console_writes(scene), "user")


def test_a_trail_that_is_full_is_really_full(scene: Scene) -> None:
    with (
        full_trail(),
        tenant_scope(scene.made.tenant),
        pytest.raises(DatabaseError, match="trail is full"),
        tenant_transaction(),
    ):
        record(by=SYSTEM, action="seen", target=scene.model)
