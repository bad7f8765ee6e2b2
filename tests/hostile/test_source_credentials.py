"""A key that goes in the address of a web service, which repeats it wherever it can: nobody ever sees it."""

import json
import logging
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.admin.links import add_url, command_url, page_url
from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import RegisteredModel
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_model, table
from tests.training.services.test_execution import run
from tests.web import Asked, Said, WebServer, web_server
from training.models import DataSource, TrainingJob

CANARY = "C4nary/in+the&address"
SPELLINGS = ("C4nary/in", "C4nary%2Fin", "C4nary\\/in", "in+the&", "in%2Bthe", "in+the\\u0026")
SOURCES = "/api/v1/sources"
PAGES = {"paging": "none", "first_page": 1, "size": 100, "max_pages": 10}


class Telltale:
    """A service that wants its key in the address and tells it on."""

    def __init__(self) -> None:
        self.mood = "rows"
        rows = table()[["mean_radius", "mean_texture", "diagnosis"]].head(120)
        self._rows: list[dict[str, Any]] = json.loads(rows.to_json(orient="records"))

    def answer(self, asked: Asked) -> Said:
        """Give rows that hold the address, or a refusal that does."""
        said = urlsplit(asked.path).query
        if self.mood == "rows":
            return Said(body=json.dumps([{**row, "self": asked.path} for row in self._rows]).encode())
        if self.mood == "names":
            return Said(body=json.dumps({said: [], CANARY: []}).encode())
        if self.mood == "redirect":
            return Said(302, {"Location": f"http://[bad/?{said}&{CANARY}"})
        return Said(int(self.mood), {"X-Asked": said}, said.encode())


TROUBLE = ["names", "redirect", "401", "404", "503"]


@pytest.fixture
def telltale() -> Telltale:
    """How the service behaves."""
    return Telltale()


@pytest.fixture
def server(telltale: Telltale, settings: Settings) -> Iterator[WebServer]:
    """The running service."""
    settings.OUTBOUND_HOSTS, settings.SOURCE_REQUEST_SECONDS = ["127.0.0.1"], 2.0
    with web_server(telltale.answer) as served:
        yield served


@pytest.fixture
def place(server: WebServer) -> dict[str, Any]:
    """The settings that lead there."""
    return {"url": f"{server.url}/rows?of=x", "auth": "query", "auth_param": "appid"}


def demand_unseen(*texts: Any) -> None:
    """Fail where the key stands in one of the texts, however it is spelt."""
    for text in texts:
        found = text.content.decode() if hasattr(text, "content") else str(text)
        assert not [spelling for spelling in SPELLINGS if spelling in found]


def kept(tenant: Tenant) -> str:
    """Return all that the database keeps in the open of sources, jobs and the trail."""
    with tenant_scope(tenant), tenant_transaction():
        trail = list(AuditEvent.objects.values())
        sources = list(DataSource.objects.values())
        jobs = [(vars(job), list(job.log.values())) for job in TrainingJob.objects.all()]
        return repr((trail, sources, jobs))


def test_the_api_shows_it_to_nobody(
    tenant: Tenant,
    api_for: ApiFor,
    place: dict[str, Any],
    server: WebServer,
    telltale: Telltale,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    client, reader = api_for(tenant), api_for(tenant, "read")
    given = {"kind": "rest", "settings": place, "secret": CANARY}
    demand_unseen(tried := client.post(f"{SOURCES}/try", given))
    assert "appid=[left out]" in tried.content.decode()
    made = client.post(SOURCES, {"name": "Registry", **given})
    path = f"{SOURCES}/{made.json()['id']}"
    answers = [made, client.post(f"{path}/preview"), snapshot := client.post(f"{path}/snapshot")]
    assert [one.status_code for one in answers] == [201, 200, 201]
    demand_unseen(*answers, client.get(f"/api/v1/datasets/{snapshot.json()['id']}"))
    for telltale.mood in TROUBLE:
        for refused in (client.post(f"{path}/preview"), client.post(f"{path}/snapshot")):
            assert refused.status_code in {422, 503}
            demand_unseen(refused, reader.get(path), reader.get(SOURCES))
    exported = client.get("/api/v1/audit/export?format=jsonl")
    demand_unseen(b"".join(exported.streaming_content).decode(), kept(tenant), caplog.text)  # type: ignore[attr-defined]  # a stream
    assert any("appid=C4nary%2Fin" in one.path for one in server.asked)


@pytest.mark.parametrize("mood", TROUBLE)
def test_a_job_whose_source_fails_tells_it_nowhere(
    tenant: Tenant,
    api_for: ApiFor,
    console_for: ConsoleFor,
    place: dict[str, Any],
    telltale: Telltale,
    mood: str,
) -> None:
    client = api_for(tenant)
    with tenant_scope(tenant):
        model: RegisteredModel = make_model()
    given = {"name": "Registry", "kind": "rest", "settings": place, "secret": CANARY}
    source = client.post(SOURCES, given).json()["id"]
    assert client.post(f"{SOURCES}/{source}/snapshot").status_code == 201
    made = client.post("/api/v1/jobs", {"model": model.name, "source": source})
    telltale.mood = mood
    with tenant_scope(tenant):
        done = run(TrainingJob.objects.get(pk=made.json()["id"]))
    assert done.state == "failed"
    job = f"/api/v1/jobs/{done.pk}"
    viewer = console_for(tenant, Role.VIEWER)
    demand_unseen(
        client.get(job), client.get(f"{job}/log"), viewer.get(page_url(done)), viewer.get("/admin/")
    )
    demand_unseen(kept(tenant))


def test_the_console_shows_it_to_nobody(
    tenant: Tenant,
    console_for: ConsoleFor,
    place: dict[str, Any],
    telltale: Telltale,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    admin, viewer = console_for(tenant, Role.ADMIN), console_for(tenant, Role.VIEWER)
    given = {"name": "Registry", **place, "method": "GET", "secret": CANARY, **PAGES}
    assert admin.post(add_url("training.datasource", kind="rest"), given).status_code == 302
    with tenant_scope(tenant), tenant_transaction():
        source = DataSource.objects.get()
        assert source.settings["auth_param"] == "appid"
    demand_unseen(admin.get(command_url(source, "edit")))
    demand_unseen(shown := admin.post(command_url(source, "preview")))
    assert "appid=[left out]" in shown.content.decode()
    admin.post(command_url(source, "snapshot"))
    for telltale.mood in TROUBLE:
        demand_unseen(admin.post(command_url(source, "snapshot"), follow=True))
        demand_unseen(admin.post(command_url(source, "preview"), follow=True))
        demand_unseen(viewer.get(page_url(source)), viewer.get("/admin/"))
    demand_unseen(admin.get("/admin/tenancy/auditevent/"), kept(tenant), caplog.text)


def test_a_key_is_refused_in_the_settings_that_others_see(
    tenant: Tenant, api_for: ApiFor, place: dict[str, Any]
) -> None:
    given = {"name": "Registry", "kind": "rest", "settings": {**place, "url": f"{place['url']}&api_key=abc"}}
    refused: Any = api_for(tenant).post(SOURCES, given)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_source")
    assert "auth: query" in refused.json()["detail"]


def test_a_reader_of_rows_cannot_have_the_key_sent_elsewhere(
    tenant: Tenant, api_for: ApiFor, place: dict[str, Any], server: WebServer
) -> None:
    client: APIClient = api_for(tenant)
    made = client.post(
        SOURCES, {"name": "Registry", "kind": "rest", "settings": place, "secret": CANARY}
    ).json()
    for change in ({"auth_param": "other"}, {"url": "https://thief.example.com/"}, {"auth": "bearer"}):
        refused = client.patch(f"{SOURCES}/{made['id']}", {"settings": {**place, **change}})
        assert (refused.status_code, refused.json()["errors"]) == (422, {"secret": ["Enter it again."]})
    assert server.asked == []
