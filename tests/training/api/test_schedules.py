"""Retraining schedules over REST."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ApiFor
from tests.factories import make_model, make_version

SCHEDULES = "/api/v1/schedules"
BODY = {
    "model": "cancer",
    "name": "nightly",
    "kind": "cron",
    "cron": "0 3 * * *",
    "timezone": "Europe/Berlin",
}


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client with every scope of the clinic, which has a model."""
    with tenant_scope(tenant):
        make_model()
    return api_for(tenant)


def test_it_is_made_shown_changed_and_deleted(client: APIClient) -> None:
    made = client.post(SCHEDULES, BODY)
    assert made.status_code == 201
    assert len(made.json()["next_runs"]) == 5
    path = f"{SCHEDULES}/{made.json()['id']}"
    changed = client.patch(path, {"kind": "interval", "every": 6, "unit": "hours"}).json()
    assert (changed["cron"], changed["every"]) == ("", 6)
    assert client.get(path).json()["every"] == 6
    assert client.delete(path).status_code == 204
    assert client.get(path).status_code == 404


def test_it_is_paused_and_resumed(client: APIClient) -> None:
    path = f"{SCHEDULES}/{client.post(SCHEDULES, BODY).json()['id']}"
    assert client.post(f"{path}/pause").json()["next_runs"] == []
    assert client.get(SCHEDULES, {"enabled": "false"}).json()["results"]
    assert len(client.post(f"{path}/resume").json()["next_runs"]) == 5


def test_it_is_run_now(tenant: Tenant, api_for: ApiFor) -> None:
    with tenant_scope(tenant):
        make_version()
    client = api_for(tenant)
    path = f"{SCHEDULES}/{client.post(SCHEDULES, BODY).json()['id']}"
    started = client.post(f"{path}/run")
    assert (started.status_code, started.json()["trigger"]) == (201, "schedule")
    assert client.post(f"{path}/run").status_code == 409


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"cron": "every night"}, 422, "cron"),
        ({"cron": "0 0 30 2 *"}, 422, "cron"),
        ({"timezone": "Mars/Olympus"}, 422, "timezone"),
        ({"kind": "interval", "every": 5}, 422, "unit"),
        ({"kind": "interval", "every": 0, "unit": "hours"}, 400, "every"),
        ({"kind": "sometimes"}, 400, "kind"),
        ({"periodic_task": 1}, 400, "periodic_task"),
    ],
)
def test_times_that_are_none_name_their_field(
    client: APIClient, change: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post(SCHEDULES, BODY | change)
    assert answer.status_code == status
    assert set(answer.json()["errors"]) == {field}


def test_a_taken_name_is_a_conflict(client: APIClient) -> None:
    client.post(SCHEDULES, BODY)
    assert client.post(SCHEDULES, BODY).status_code == 409


def test_another_tenant_cannot_touch_it(client: APIClient, other_tenant: Tenant, api_for: ApiFor) -> None:
    path = f"{SCHEDULES}/{client.post(SCHEDULES, BODY).json()['id']}"
    stranger = api_for(other_tenant)
    assert stranger.post(SCHEDULES, BODY).status_code == 404
    assert [
        stranger.get(path).status_code,
        stranger.patch(path, {"name": "x"}).status_code,
        stranger.delete(path).status_code,
        stranger.post(f"{path}/pause").status_code,
        stranger.post(f"{path}/run").status_code,
    ] == [404] * 5
