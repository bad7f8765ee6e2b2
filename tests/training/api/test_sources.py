"""Data sources over REST."""

from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ApiFor
from tests.factories import make_model, table
from tests.web import Said, WebServer, web_server

SOURCES = "/api/v1/sources"
SECRET = "a-secret-nobody-may-see"


@pytest.fixture
def server(settings: Settings) -> Iterator[WebServer]:
    """A service that gives rows."""
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    body = table()[["mean_radius", "mean_texture", "diagnosis"]].to_json(orient="records").encode()
    with web_server(lambda _: Said(body=body)) as served:
        yield served


@pytest.fixture
def body(server: WebServer) -> dict[str, Any]:
    """What a source is made of."""
    place = {"url": server.url, "auth": "bearer"}
    return {"kind": "rest", "settings": place, "secret": SECRET, "personal": {"mean_texture": "drop"}}


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """The clinic's key with every scope."""
    return api_for(tenant)


def test_it_is_tried_made_read_and_forgotten(client: APIClient, body: dict[str, Any]) -> None:
    tried = client.post(f"{SOURCES}/try", body).json()
    assert (next(one["name"] for one in tried["columns"]), len(tried["rows"])) == ("mean_radius", 20)
    assert tried["rows"][0][1] is None
    made = client.post(SOURCES, {"name": "Registry", **body})
    assert made.status_code == 201
    assert (made.json()["has_credential"], SECRET in made.content.decode()) == (True, False)
    path = f"{SOURCES}/{made.json()['id']}"
    assert len(client.post(f"{path}/preview").json()["rows"]) == 20
    first = client.post(f"{path}/snapshot")
    assert (first.status_code, first.json()["rows"], first.json()["origin"]["kind"]) == (201, 569, "source")
    assert client.post(f"{path}/snapshot").status_code == 200
    assert client.get(path).json()["last_snapshot"] == first.json()["id"]
    assert client.patch(path, {"name": "Later"}).json()["name"] == "Later"
    assert client.get(SOURCES, {"kind": "rest", "search": "lat"}).json()["results"]
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_a_job_and_a_schedule_name_it(tenant: Tenant, client: APIClient, body: dict[str, Any]) -> None:
    with tenant_scope(tenant):
        make_model()
    source = client.post(SOURCES, {"name": "Registry", **body}).json()["id"]
    job = {"model": "cancer", "source": source, "on_source_failure": "last_good"}
    assert client.post("/api/v1/jobs", job).json()["code"] == "no_snapshot"
    client.post(f"{SOURCES}/{source}/snapshot")
    made = client.post("/api/v1/jobs", job)
    assert (made.status_code, made.json()["source"], made.json()["source_note"]) == (201, source, "")
    times = {"kind": "cron", "cron": "0 3 * * *", "name": "nightly"}
    schedule = client.post("/api/v1/schedules", {"model": "cancer", "source": source, **times})
    assert (schedule.status_code, schedule.json()["source"]) == (201, source)
    assert client.delete(f"{SOURCES}/{source}").json()["code"] == "source_in_use"
    path = f"/api/v1/schedules/{schedule.json()['id']}"
    assert client.patch(path, {"source": None}).json()["source"] is None
    assert client.post("/api/v1/jobs", {"model": "cancer"}).status_code == 422


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"kind": "ftp"}, 400, "invalid"),
        ({"settings": {"url": "http://169.254.169.254/"}}, 422, "address_refused"),
        ({"settings": {"url": "https://example.com", "unknown": 1}}, 422, "invalid_source"),
        ({"tenant": 1}, 400, "invalid"),
        ({"personal": {"a": "hide"}}, 400, "invalid"),
        ({"model": "nobody"}, 404, "model_not_found"),
    ],
)
def test_what_is_wrong_is_named(
    client: APIClient, body: dict[str, Any], change: dict[str, Any], status: int, code: str
) -> None:
    refused = client.post(f"{SOURCES}/try", {**body, **change})
    assert (refused.status_code, SECRET in refused.content.decode()) == (status, False)
    assert code in refused.json()["code"]


def test_who_may_only_look_changes_nothing(tenant: Tenant, api_for: ApiFor, body: dict[str, Any]) -> None:
    reader = api_for(tenant, "read")
    assert reader.get(SOURCES).status_code == 200
    for path in (SOURCES, f"{SOURCES}/try"):
        assert reader.post(path, body).status_code == 403
