"""Teams and rights on models through the API."""

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ApiFor
from tests.factories import make_model

TEAMS, GRANTS = "/api/v1/teams", "/api/v1/models/churn/grants"


@pytest.fixture
def admin(tenant: Tenant, api_for: ApiFor) -> APIClient:
    with tenant_scope(tenant):
        make_model("churn")
    client = api_for(tenant)
    for name in ("ann", "bob"):
        client.post("/api/v1/members", {"email": f"{name}@clinic.example", "role": "viewer"})
    return client


def test_team_is_made_changed_and_deleted(admin: APIClient) -> None:
    made = admin.post(TEAMS, {"name": "Radiology", "members": ["ann@clinic.example"]})
    assert made.status_code == 201
    team = f"{TEAMS}/{made.json()['id']}"
    changed = admin.patch(team, {"name": "Imaging", "members": ["bob@clinic.example", "ann@clinic.example"]})
    assert changed.json()["name"] == "Imaging"
    assert sorted(changed.json()["members"]) == ["ann@clinic.example", "bob@clinic.example"]
    assert admin.patch(team, {}).json() == admin.get(team).json() == admin.get(TEAMS).json()["results"][0]
    assert admin.delete(team).status_code == 204
    assert admin.get(team).status_code == 404


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ({}, 400, "name"),
        ({"name": ""}, 400, "name"),
        ({"name": "a\x00b"}, 400, "name"),
        ({"name": "x" * 101}, 400, "name"),
        ({"name": "x", "members": "ann@clinic.example"}, 400, "members"),
        ({"name": "x", "members": ["nobody"]}, 400, "members"),
        ({"name": "x", "members": ["nobody@clinic.example"]}, 422, "members"),
        ({"name": "x", "tenant": 2}, 400, "tenant"),
    ],
)
def test_wrong_team_names_the_field(
    admin: APIClient, body: dict[str, object], status: int, field: str
) -> None:
    answer = admin.post(TEAMS, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (status, [field])
    assert admin.get(TEAMS).json()["results"] == []


def test_taken_name_is_a_conflict(admin: APIClient) -> None:
    admin.post(TEAMS, {"name": "Radiology"})
    assert admin.post(TEAMS, {"name": "Radiology"}).json()["code"] == "team_exists"


def test_right_is_given_replaced_and_taken_back(admin: APIClient) -> None:
    admin.post(TEAMS, {"name": "Radiology"})
    for holder in ({"member": "ANN@clinic.example"}, {"team": "Radiology"}):
        given = admin.post(GRANTS, {**holder, "role": "viewer"})
        again = admin.post(GRANTS, {**holder, "role": "none"})
        assert (given.status_code, again.status_code) == (201, 201)
        assert given.json()["id"] == again.json()["id"]
        assert again.json()["role"] == "none"
    listed = admin.get(GRANTS).json()["results"]
    holders = [(one["member"], one["team"]) for one in listed]
    assert holders == [(None, "Radiology"), ("ann@clinic.example", None)]
    assert admin.delete(f"{GRANTS}/{listed[0]['id']}").status_code == 204
    assert admin.delete(f"{GRANTS}/{listed[0]['id']}").json()["code"] == "grant_not_found"
    assert len(admin.get(GRANTS).json()["results"]) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"role": "viewer"}, 400),
        ({"member": "ann@clinic.example", "team": "Radiology", "role": "viewer"}, 400),
        ({"member": "ann@clinic.example"}, 400),
        ({"member": "ann@clinic.example", "role": "admin"}, 400),
        ({"member": "ann@clinic.example", "role": None}, 400),
        ({"member": "nobody@clinic.example", "role": "viewer"}, 422),
        ({"team": "Nobody", "role": "viewer"}, 404),
        ({"team": "no\x00body", "role": "viewer"}, 400),
    ],
)
def test_wrong_right_is_refused(admin: APIClient, body: dict[str, object], status: int) -> None:
    assert admin.post(GRANTS, body).status_code == status
    assert admin.get(GRANTS).json()["results"] == []


def test_rights_of_a_missing_model_are_not_found(admin: APIClient) -> None:
    assert admin.get("/api/v1/models/nothing/grants").status_code == 404
    assert admin.post("/api/v1/models/nothing/grants", {"team": "x", "role": "none"}).status_code == 404
