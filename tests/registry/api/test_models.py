"""Models, versions and what runs, over REST."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_champion, make_model, make_version

MODELS = "/api/v1/models"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client with every scope of the clinic."""
    return api_for(tenant)


def test_a_model_is_registered_shown_and_described(client: APIClient) -> None:
    body = {"name": "churn-risk", "problem_type": "classification", "target": "left"}
    made = client.post(MODELS, body)
    assert made.status_code == 201
    assert (made.json()["champion"], made.json()["versions"]) == (None, 0)
    assert client.patch(f"{MODELS}/churn-risk", {"description": "Who leaves?"}).status_code == 200
    assert client.get(f"{MODELS}/churn-risk").json()["description"] == "Who leaves?"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"name": "Churn Risk"}, 422),
        ({"name": "../etc"}, 422),
        ({"name": ""}, 400),
        ({"problem_type": "magic"}, 400),
        ({"target": None}, 400),
        ({"tenant": 1}, 400),
    ],
)
def test_an_impossible_model_is_refused(client: APIClient, change: dict[str, object], status: int) -> None:
    body = {"name": "churn", "problem_type": "classification", "target": "left", **change}
    answer = client.post(MODELS, body)
    assert answer.status_code == status
    assert set(answer.json()["errors"]) == set(change)


def test_a_taken_name_is_a_conflict_in_one_tenant_only(
    client: APIClient, other_tenant: Tenant, api_for: ApiFor
) -> None:
    body = {"name": "churn", "problem_type": "classification", "target": "left"}
    assert client.post(MODELS, body).status_code == 201
    assert client.post(MODELS, body).json()["code"] == "model_exists"
    assert api_for(other_tenant).post(MODELS, body).status_code == 201


def test_versions_are_listed_without_large_columns_and_shown_in_full(
    client: APIClient, tenant: Tenant
) -> None:
    with tenant_scope(tenant):
        first = make_champion()
        make_version(first.model)
    listed = client.get(f"{MODELS}/cancer/versions").json()["results"]
    assert [(version["number"], version["is_champion"]) for version in listed] == [(2, False), (1, True)]
    assert "reference" not in listed[0]
    full = client.get(f"{MODELS}/cancer/versions/1").json()
    assert (full["is_champion"], full["classes"], len(full["features"])) == (
        True,
        ["benign", "malignant"],
        30,
    )
    assert client.get(f"{MODELS}/cancer/versions/9").json()["code"] == "version_not_found"


def test_promotion_gates_rollback_and_history(client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        model = make_model()
        make_version(model)
        make_version(model)
    gates = client.get(f"{MODELS}/cancer/gates/1").json()
    assert (gates["passed"], gates["champion"], len(gates["gates"])) == (True, None, 4)
    for number in (1, 2):
        made = client.post(f"{MODELS}/cancer/promote", {"version": number, "reason": "better"})
        assert (made.status_code, made.json()["version"]) == (200, number)
    assert client.get(f"{MODELS}/cancer").json()["champion"] == 2
    back = client.post(f"{MODELS}/cancer/rollback", {"reason": "complaints"})
    assert (back.json()["version"], back.json()["previous"], back.json()["action"]) == (1, 2, "rollback")
    history = client.get(f"{MODELS}/cancer/deployments").json()["results"]
    assert [change["action"] for change in history] == ["rollback", "promote", "promote"]
    assert client.post(f"{MODELS}/cancer/rollback", {}).json()["code"] == "nothing_to_roll_back_to"


def test_a_viewer_may_look_but_not_promote(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant):
        make_version()
    viewer = console_for(tenant, Role.VIEWER)
    assert viewer.get(f"{MODELS}/cancer/versions").status_code == 200
    refused = viewer.post(f"{MODELS}/cancer/promote", {"version": 1}, content_type="application/json")
    assert refused.status_code == 403


def test_lists_cost_the_same_number_of_queries_however_long(client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        for number in range(4):
            make_model(f"model-{number}")
    with CaptureQueriesContext(connection) as queries:
        assert len(client.get(MODELS).json()["results"]) == 4
    assert len([query for query in queries.captured_queries if "registry_" in query["sql"]]) == 1


@pytest.mark.parametrize(
    "path",
    ["none", "%00", "..%2Fcancer", "cancer/versions/0", "cancer/versions/" + "9" * 30, "cancer/gates/7"],
)
def test_what_is_not_there_is_not_found(client: APIClient, tenant: Tenant, path: str) -> None:
    with tenant_scope(tenant):
        make_model()
    answer = client.get(f"{MODELS}/{path}")
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")


def test_a_part_of_the_name_finds_models(client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        make_model("north"), make_model("south")
    assert [model["name"] for model in client.get(MODELS, {"search": "ort"}).json()["results"]] == ["north"]
