import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoCaptureOnCommitCallbacks
from rest_framework.test import APIClient

from feedback.models import SubjectErasure
from mlplatform.celery import app
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Prediction
from registry.services.serving import predict
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, rows_of

KEY = "alice@clinic.example"
SUBJECT = {"entity_key": KEY}
PAGES = "/admin/feedback/subjecterasure/"


@pytest.fixture(autouse=True)
def asked(tenant: Tenant) -> None:
    """The clinic was asked about Alice twice and about Bo once."""
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion()
        keys = [KEY, "bo", KEY]
        predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM, entity_keys=keys)


@pytest.fixture
def _worker() -> Iterator[None]:
    app.conf.task_always_eager = True
    yield
    app.conf.task_always_eager = False


def left(tenant: Tenant) -> int:
    with tenant_scope(tenant), tenant_transaction():
        return Prediction.objects.count()


def send(client: APIClient, route: str, **body: Any) -> Any:
    return client.post(f"/api/v1/{route}", {**SUBJECT, **body})


@pytest.mark.usefixtures("_worker")
def test_the_api_finds_exports_and_erases(
    tenant: Tenant,
    api_for: ApiFor,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client = api_for(tenant, "admin")
    found = send(client, "subjects/search").json()
    assert found["models"] == [{"model": "cancer", "predictions": 2, "outcomes": 0}]
    held = json.loads(b"".join(send(client, "subjects/export").streaming_content))
    assert (len(held["predictions"]), held["entity"]) == (2, found["entity"])
    with django_capture_on_commit_callbacks(execute=True):
        answer = send(client, "erasures", model="cancer")
    assert answer.status_code == 202
    body = client.get(f"/api/v1/erasures/{answer.json()['id']}").json()
    assert (body["predictions"], body["entity"], body["model"]) == (2, found["entity"], "cancer")
    assert body["finished_at"]
    assert [one["id"] for one in client.get("/api/v1/erasures").json()["results"]] == [body["id"]]
    assert left(tenant) == 1


@pytest.mark.parametrize("route", ["subjects/search", "subjects/export", "erasures"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"entity_key": ""}, 400),
        ({"entity_key": "x" * 201}, 400),
        ({"entity_key": ["a"]}, 400),
        ({"model": "no-such"}, 404),
        ({"tenant": 1}, 400),
    ],
)
def test_the_api_says_what_is_wrong(
    tenant: Tenant, api_for: ApiFor, route: str, body: dict[str, Any], status: int
) -> None:
    assert send(api_for(tenant, "admin"), route, **body).status_code == status
    assert left(tenant) == 3


@pytest.mark.parametrize("route", ["subjects/search", "subjects/export", "erasures"])
def test_only_admins_may(tenant: Tenant, api_for: ApiFor, route: str) -> None:
    others = api_for(tenant, "read", "predict", "feedback", "train", "deploy")
    assert send(others, route).status_code == 403


@pytest.mark.usefixtures("_worker")
def test_the_console_looks_up_exports_and_erases(
    tenant: Tenant,
    console_for: ConsoleFor,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    client = console_for(tenant)
    page = client.post(f"{PAGES}look-up/", SUBJECT).content.decode()
    assert "Pseudonym: psn_" in page
    download: Any = client.post(f"{PAGES}export/", SUBJECT)
    held = json.loads(b"".join(download.streaming_content))
    assert len(held["predictions"]) == 2
    assert "Pseudonym: psn_" in client.post(f"{PAGES}erase/", SUBJECT).content.decode()
    assert left(tenant) == 3
    with django_capture_on_commit_callbacks(execute=True):
        answer = client.post(f"{PAGES}erase/", {**SUBJECT, "confirm": "on"})
    assert answer.status_code == 302
    page = client.get(answer["Location"]).content.decode()
    assert "Predictions removed" in page
    assert KEY not in page
    assert left(tenant) == 1


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.OPERATOR, Role.APPROVER])
def test_the_console_is_for_admins(tenant: Tenant, console_for: ConsoleFor, role: str) -> None:
    client = console_for(tenant, role)
    for page in ("", "look-up/", "export/", "erase/"):
        assert client.get(f"{PAGES}{page}").status_code == 403


def test_the_command_counts_first_and_erases_when_told(
    tenant: Tenant, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    target = tmp_path / "alice.json"
    call_command("export_subject", "--tenant", "clinic", "--entity", KEY, "--output", str(target))
    assert len(json.loads(target.read_text())["predictions"]) == 2
    capsys.readouterr()
    call_command("erase_subject", "--tenant", "clinic", "--entity", KEY, "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["erased"], told["models"][0]["predictions"], left(tenant)) == (False, 2, 3)
    call_command("erase_subject", "--tenant", "clinic", "--entity", KEY, "--yes", "--json")
    told = json.loads(capsys.readouterr().out)
    assert (told["erased"], told["predictions"], left(tenant)) == (True, 2, 1)
    with tenant_scope(tenant), tenant_transaction():
        assert SubjectErasure.objects.get().entity == told["entity"]
