"""Training jobs over REST."""

from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ApiFor
from tests.factories import make_dataset, make_model
from training.models import JobState
from training.tasks import run_job

JOBS = "/api/v1/jobs"
ALGORITHMS = [{"key": "logistic_regression", "params": {"C": 0.5}}, {"key": "dummy"}]


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client with every scope of the clinic."""
    return api_for(tenant)


@pytest.fixture
def body(tenant: Tenant) -> dict[str, Any]:
    """A request for a quick job."""
    with tenant_scope(tenant):
        dataset = make_dataset().pk
        return {"model": make_model().name, "dataset": dataset, "algorithms": ALGORITHMS, "folds": 2}


def test_a_job_is_queued_followed_and_ends_with_a_version(
    client: APIClient, body: dict[str, Any], tenant: Tenant
) -> None:
    queued = client.post(JOBS, body)
    assert (queued.status_code, queued.json()["state"]) == (201, JobState.QUEUED)
    pk = queued.json()["id"]
    run_job(pk, tenant_id=tenant.pk)
    done = client.get(f"{JOBS}/{pk}").json()
    assert (done["state"], done["version"], done["progress"]) == (JobState.SUCCEEDED, 1, 100)
    assert [line["algorithm"] for line in done["leaderboard"]] == ["logistic_regression", "dummy"]
    assert done["leaderboard"][0]["params"]["C"] == 0.5
    messages = [line["message"] for line in client.get(f"{JOBS}/{pk}/log").json()["results"]]
    assert messages[0].startswith("Attempt 1")
    assert client.get("/api/v1/models/cancer/versions/1").status_code == 200


def test_a_search_is_asked_for_and_its_trials_are_shown(
    client: APIClient, body: dict[str, Any], tenant: Tenant
) -> None:
    search = {"method": "random", "trials": 3}
    queued = client.post(JOBS, body | {"algorithms": [{"key": "naive_bayes"}], "search": search}).json()
    run_job(queued["id"], tenant_id=tenant.pk)
    done = client.get(f"{JOBS}/{queued['id']}").json()
    assert done["config"]["search"] == search | {"seconds": None, "patience": None}
    assert len(done["leaderboard"]) == 3
    assert {(line["state"], line["share"]) for line in done["leaderboard"]} == {("complete", 1.0)}


def test_a_second_job_meanwhile_is_a_conflict(client: APIClient, body: dict[str, Any]) -> None:
    client.post(JOBS, body)
    second = client.post(JOBS, body)
    assert (second.status_code, second.json()["code"]) == (409, "job_active")


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"folds": 50}, 400, "folds"),
        ({"fold": 5}, 400, "fold"),
        ({"dataset": "latest"}, 400, "dataset"),
        ({"algorithms": []}, 400, "algorithms"),
        ({"search": {"method": "luck"}}, 400, "search"),
        ({"search": {"trials": 0}}, 400, "search"),
        ({"search": {}, "algorithms": [{"key": "knn"}, {"key": "knn"}]}, 422, "algorithms"),
        ({"algorithms": [{"key": "ridge"}]}, 422, "algorithms"),
        ({"algorithms": [{"key": "knn", "params": {"n_neighbors": -1}}]}, 422, "algorithms"),
    ],
)
def test_wrong_settings_name_their_field(
    client: APIClient, body: dict[str, Any], change: dict[str, Any], status: int, field: str
) -> None:
    answer = client.post(JOBS, body | change)
    assert answer.status_code == status
    assert set(answer.json()["errors"]) == {field}


@pytest.mark.parametrize("change", [{"model": "none"}, {"dataset": 4711}, {"dataset": 2**60}])
def test_what_does_not_exist_is_not_found(
    client: APIClient, body: dict[str, Any], change: dict[str, Any]
) -> None:
    assert client.post(JOBS, body | change).status_code == 404


def test_another_tenants_dataset_and_job_do_not_exist(
    client: APIClient, body: dict[str, Any], other_tenant: Tenant, api_for: ApiFor
) -> None:
    pk = client.post(JOBS, body).json()["id"]
    stranger = api_for(other_tenant)
    with tenant_scope(other_tenant):
        make_model()
    assert stranger.post(JOBS, body).status_code == 404
    for path in (f"{JOBS}/{pk}", f"{JOBS}/{pk}/log"):
        assert stranger.get(path).status_code == 404
    assert stranger.post(f"{JOBS}/{pk}/cancel").status_code == 404


def test_a_job_is_cancelled_once(client: APIClient, body: dict[str, Any]) -> None:
    pk = client.post(JOBS, body).json()["id"]
    assert client.post(f"{JOBS}/{pk}/cancel").json()["state"] == JobState.CANCELLED
    assert client.post(f"{JOBS}/{pk}/cancel").status_code == 409


def test_jobs_are_filtered(client: APIClient, body: dict[str, Any]) -> None:
    client.post(JOBS, body)
    assert len(client.get(JOBS, {"model": "cancer", "state": "queued"}).json()["results"]) == 1
    assert client.get(JOBS, {"state": "failed"}).json()["results"] == []
    assert client.get(JOBS, {"stat": "failed"}).status_code == 400


def test_a_list_of_jobs_costs_the_same_however_long(client: APIClient, body: dict[str, Any]) -> None:
    costs = []
    for _ in range(3):
        client.post(f"{JOBS}/{client.post(JOBS, body).json()['id']}/cancel")
        with CaptureQueriesContext(connection) as queries:
            client.get(JOBS)
        costs.append(len(queries))
    assert len(set(costs)) == 1


def test_a_key_that_may_only_read_starts_nothing(
    tenant: Tenant, body: dict[str, Any], api_for: ApiFor
) -> None:
    reader = api_for(tenant, "read")
    assert reader.post(JOBS, body).status_code == 403
    assert reader.get(JOBS).status_code == 200


def test_algorithms_come_with_the_bounds_of_their_parameters(client: APIClient) -> None:
    table = {row["key"]: row for row in client.get("/api/v1/algorithms").json()}
    assert table["ridge"]["problems"] == ["regression"]
    assert table["random_forest"]["params"]["properties"]["n_estimators"]["maximum"] == 2000
