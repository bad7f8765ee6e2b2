"""Jobs under control, over REST."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ApiFor
from tests.factories import make_dataset, make_model, make_version
from training.models import JobState
from training.tasks import run_job

JOBS = "/api/v1/jobs"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant)


@pytest.fixture
def job(client: APIClient, tenant: Tenant) -> dict[str, Any]:
    """A queued job."""
    with tenant_scope(tenant):
        body = {"model": make_model().name, "dataset": make_dataset().pk, "algorithms": [{"key": "dummy"}]}
    made: dict[str, Any] = client.post(JOBS, body | {"folds": 2, "priority": "low"}).json()
    return made


def test_a_job_is_urged_cancelled_run_again_and_cloned(client: APIClient, job: dict[str, Any]) -> None:
    address = f"{JOBS}/{job['id']}"
    assert (job["priority"], job["seconds_left"]) == ("low", None)
    assert client.put(f"{address}/priority", {"priority": "high"}).json()["priority"] == "high"
    assert client.put(f"{address}/priority", {"priority": "now"}).status_code == 400
    early = client.post(f"{address}/retry")
    assert (early.status_code, early.json()["code"]) == (409, "job_active")
    assert client.post(f"{address}/cancel").json()["state"] == JobState.CANCELLED
    again = client.post(f"{address}/retry")
    assert (again.status_code, again.json()["config"]) == (201, job["config"])
    client.post(f"{JOBS}/{again.json()['id']}/cancel")
    clone = client.post(f"{address}/clone", {"folds": 3, "limits": {"minutes": 2}}).json()
    assert (clone["config"]["folds"], clone["config"]["limits"]["minutes"]) == (3, 2)
    assert clone["config"]["algorithms"] == job["config"]["algorithms"]
    assert client.get(f"{JOBS}?priority=high").json()["results"][0]["id"] == clone["id"]


def test_a_log_is_read_on_from_the_last_line_seen(
    client: APIClient, job: dict[str, Any], tenant: Tenant
) -> None:
    run_job(job["id"], tenant_id=tenant.pk)
    log = f"{JOBS}/{job['id']}/log"
    lines = client.get(log).json()["results"]
    rest = client.get(f"{log}?after={lines[0]['id']}").json()["results"]
    assert rest == lines[1:]
    assert client.get(f"{log}?after={lines[-1]['id']}").json()["results"] == []
    assert client.get(f"{log}?after=x").status_code == 400


def test_one_model_or_all_are_trained_again(client: APIClient, job: dict[str, Any], tenant: Tenant) -> None:
    with tenant_scope(tenant):
        make_version(make_model("relapses"))
    [told] = client.post("/api/v1/models/relapses/retrain").json()
    assert (told["model"], told["reason"]) == ("relapses", "")
    client.post(f"{JOBS}/{told['job']}/cancel")
    everything = client.post("/api/v1/train-all").json()
    assert [one["model"] for one in everything] == ["cancer", "relapses"]
    assert everything[0]["job"] is None
    assert "no version yet" in everything[0]["reason"]
    assert client.get(f"{JOBS}/{everything[1]['job']}").json()["priority"] == "low"
