"""Members, keys and the trail through the API."""

from collections.abc import Callable

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import ApiKey, AuditEvent, Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from tests.plugins.application_role import whole_database

ApiFor = Callable[..., APIClient]
MEMBERS, KEYS, AUDIT = "/api/v1/members", "/api/v1/api-keys", "/api/v1/audit"


@pytest.fixture
def admin(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant, "admin")


def test_member_is_added_changed_and_removed_with_a_trail(admin: APIClient, tenant: Tenant) -> None:
    boss = admin.post(MEMBERS, {"email": "Boss@Clinic.example", "role": "admin"}).json()
    added = admin.post(MEMBERS, {"email": "ann@clinic.example", "role": "viewer", "name": "Ann"})
    assert added.status_code == 201
    member = f"{MEMBERS}/{added.json()['id']}"
    assert admin.patch(member, {"role": "analyst"}).json()["role"] == "analyst"
    assert admin.get(member).json()["email"] == "ann@clinic.example"
    assert admin.delete(member).status_code == 204
    assert [row["id"] for row in admin.get(MEMBERS).json()["results"]] == [boss["id"]]
    actions = [event["action"] for event in admin.get(AUDIT).json()["results"]]
    assert actions[:4] == ["member.removed", "member.role_changed", "member.added", "member.added"]


def test_invited_account_has_no_platform_rights_and_no_password(admin: APIClient) -> None:
    admin.post(MEMBERS, {"email": "ann@clinic.example", "role": "admin"})
    user = User.objects.get(email="ann@clinic.example")
    assert not user.is_superuser
    assert not user.has_usable_password()


def test_known_person_keeps_the_account(admin: APIClient) -> None:
    user = User.objects.create_user("ann@clinic.example", "a-Long-pass-9")
    admin.post(MEMBERS, {"email": "ANN@clinic.example", "role": "viewer"})
    with whole_database():
        assert Membership.all_tenants.get().user == user


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"email": "nobody", "role": "viewer"}, "email"),
        ({"email": "a@b.example", "role": "emperor"}, "role"),
        ({"email": "a@b.example"}, "role"),
        ({"email": "a@b.example", "role": "viewer", "tenant": 2}, "tenant"),
        ({"email": "a@b.example", "role": "viewer", "is_superuser": True}, "is_superuser"),
    ],
)
def test_wrong_invitation_names_the_field(admin: APIClient, body: dict[str, object], field: str) -> None:
    answer = admin.post(MEMBERS, body)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [field]
    with whole_database():
        assert not Membership.all_tenants.exists()


def test_second_invitation_is_a_conflict(admin: APIClient) -> None:
    admin.post(MEMBERS, {"email": "ann@clinic.example", "role": "viewer"})
    again = admin.post(MEMBERS, {"email": "ann@clinic.example", "role": "viewer"})
    assert (again.status_code, again.json()["code"]) == (409, "already_member")


def test_last_admin_stays(admin: APIClient) -> None:
    only = admin.post(MEMBERS, {"email": "ann@clinic.example", "role": "admin"}).json()
    member = f"{MEMBERS}/{only['id']}"
    assert admin.delete(member).json()["code"] == "last_admin"
    assert admin.patch(member, {"role": "viewer"}).json()["code"] == "last_admin"
    with whole_database():
        assert Membership.all_tenants.get().role == Role.ADMIN


def test_foreign_member_looks_like_a_missing_one(
    admin: APIClient, other_tenant: Tenant, api_for: ApiFor
) -> None:
    theirs = api_for(other_tenant).post(MEMBERS, {"email": "w@w.example", "role": "viewer"}).json()
    answers = []
    for pk in (theirs["id"], 999_999):
        for call in (admin.get, admin.delete):
            answer = call(f"{MEMBERS}/{pk}")
            body = answer.json()
            body.pop("request_id")
            answers.append((answer.status_code, body))
    assert all(answer == answers[0] for answer in answers)
    assert answers[0][0] == 404


def test_key_made_over_the_api_works_and_is_shown_once(admin: APIClient) -> None:
    made = admin.post(KEYS, {"name": "lab", "scopes": ["read"]})
    assert made.status_code == 201
    client = APIClient(headers={"Authorization": f"Bearer {made.json()['secret']}"})
    assert client.get("/api/v1/whoami").json()["principal"] == "lab"
    assert "secret" not in admin.get(f"{KEYS}/{made.json()['id']}").json()


def test_revoked_key_stops_at_once(admin: APIClient) -> None:
    made = admin.post(KEYS, {"name": "lab", "scopes": ["read"]}).json()
    client = APIClient(headers={"Authorization": f"Bearer {made['secret']}"})
    assert admin.post(f"{KEYS}/{made['id']}/revoke").json()["revoked_at"]
    assert client.get("/api/v1/whoami").status_code == 401
    assert admin.post(f"{KEYS}/{made['id']}/revoke").status_code == 409


@pytest.mark.parametrize(
    "body",
    [{"name": "x", "scopes": []}, {"name": "x", "scopes": ["root"]}, {"scopes": ["read"]}, [], "text", None],
)
def test_wrong_key_request_is_refused(admin: APIClient, body: object) -> None:
    with whole_database():
        before = ApiKey.all_tenants.count()
    assert admin.post(KEYS, body).status_code == 400
    with whole_database():
        assert ApiKey.all_tenants.count() == before


def test_key_is_rotated_over_the_api(admin: APIClient) -> None:
    old = admin.post(KEYS, {"name": "lab", "scopes": ["read"]}).json()
    answer = admin.post(f"{KEYS}/{old['id']}/rotate", {"overlap_hours": 2})
    assert answer.status_code == 201
    new = answer.json()
    assert (new["name"], new["scopes"], new["rotated_from"]) == ("lab", ["read"], old["id"])
    for secret in (old["secret"], new["secret"]):
        client = APIClient(headers={"Authorization": f"Bearer {secret}"})
        assert client.get("/api/v1/whoami").status_code == 200
    assert admin.get(f"{KEYS}/{old['id']}").json()["successor"] == new["id"]
    again = admin.post(f"{KEYS}/{old['id']}/rotate")
    assert (again.status_code, again.json()["code"]) == (409, "api_key_rotated")


@pytest.mark.parametrize("overlap", [-1, 721, "soon", None, 1.5])
def test_wrong_overlap_is_refused(admin: APIClient, overlap: object) -> None:
    made = admin.post(KEYS, {"name": "lab", "scopes": ["read"]}).json()
    answer = admin.post(f"{KEYS}/{made['id']}/rotate", {"overlap_hours": overlap})
    assert (answer.status_code, list(answer.json()["errors"])) == (400, ["overlap_hours"])


def test_unknown_models_of_a_key_are_named(admin: APIClient) -> None:
    answer = admin.post(KEYS, {"name": "lab", "scopes": ["read"], "models": ["nothing"]})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["models"])


@pytest.mark.parametrize("scope", ["read", "predict", "feedback", "train", "deploy"])
def test_only_the_admin_scope_manages_people_and_keys(tenant: Tenant, api_for: ApiFor, scope: str) -> None:
    client = api_for(tenant, scope)
    for address in (MEMBERS, KEYS, AUDIT):
        assert client.get(address).status_code == 403
    assert client.post(KEYS, {"name": "x", "scopes": ["admin"]}).status_code == 403


def test_audit_can_be_filtered_and_says_who_and_from_where(admin: APIClient, tenant: Tenant) -> None:
    admin.post(KEYS, {"name": "lab", "scopes": ["read"]}, headers={"X-Request-ID": "request-0042"})
    found = admin.get(AUDIT, {"request_id": "request-0042"}).json()["results"]
    assert [(event["action"], event["actor_kind"], event["address"]) for event in found] == [
        ("api_key.created", "api_key", "127.0.0.1")
    ]
    assert admin.get(AUDIT, {"action": "nothing.like.it"}).json()["results"] == []


@pytest.mark.parametrize("query", [{"tenant": "2"}, {"actor_label__startswith": "a"}, {"acton": "x"}])
def test_unknown_filter_is_refused(admin: APIClient, query: dict[str, str]) -> None:
    answer = admin.get(AUDIT, query)
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == list(query)


def test_lists_come_in_pages(admin: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        before = AuditEvent.objects.count()
    for number in range(3):
        admin.post(KEYS, {"name": f"k{number}", "scopes": ["read"]})
    first = admin.get(AUDIT, {"limit": 2}).json()
    assert len(first["results"]) == 2
    seen = [*first["results"]]
    while first["next"]:
        first = admin.get(first["next"]).json()
        seen += first["results"]
    assert len({event["id"] for event in seen}) == len(seen) == before + 3
    assert admin.get(AUDIT, {"cursor": "tampered"}).status_code == 404
