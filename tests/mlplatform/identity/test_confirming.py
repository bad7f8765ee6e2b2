"""Asking a person to confirm who they are before what cannot easily be taken back."""

import json
import time

import pytest
from django.test import Client
from pytest_django import Settings

from mlplatform.admin.site import console
from mlplatform.identity.proofs import PROVED_AT
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import add_member
from tests.conftest import ApiFor, ConsoleFor
from tests.console import WITH_PAGES, furnish
from tests.mlplatform.identity.conftest import PASSWORD, code_of, make_stale, set_up_app

KEYS = "/admin/tenancy/apikey/add/"
NEW_KEY = {"name": "laboratory", "scopes": ["read"]}
CONFIRM = "/account/confirm/"


def names_of_keys(tenant: Tenant) -> list[str]:
    with tenant_scope(tenant), tenant_transaction():
        return list(ApiKey.objects.values_list("name", flat=True))


def test_somebody_who_just_signed_in_is_not_asked(ann_in: Client) -> None:
    assert ann_in.get(KEYS).status_code == 200


def test_a_stale_session_confirms_and_comes_back(ann_in: Client) -> None:
    make_stale(ann_in)
    asked = ann_in.get(KEYS)
    assert asked["Location"] == f"{CONFIRM}?next=%2Fadmin%2Ftenancy%2Fapikey%2Fadd%2F"
    page = ann_in.get(asked["Location"]).content.decode()
    assert "Confirm who you are" in page
    assert "ann@example.com" in page
    assert ann_in.post(asked["Location"], {"password": PASSWORD})["Location"] == KEYS
    assert ann_in.get(KEYS).status_code == 200


def test_a_wrong_password_confirms_nothing(ann_in: Client) -> None:
    make_stale(ann_in)
    page = ann_in.post(f"{CONFIRM}?next={KEYS}", {"password": "wrong"})
    assert "The password is wrong" in page.content.decode()
    assert ann_in.get(KEYS).status_code == 302


def test_what_was_filled_in_is_not_lost(ann_in: Client, tenant: Tenant) -> None:
    make_stale(ann_in)
    asked = ann_in.post(KEYS, NEW_KEY)
    assert names_of_keys(tenant) == []
    answer = ann_in.post(asked["Location"], {"password": PASSWORD})
    assert "is ready" in answer.content.decode()
    assert names_of_keys(tenant) == ["laboratory"]


def test_confirming_leads_nowhere_else(ann_in: Client) -> None:
    make_stale(ann_in)
    answer = ann_in.post(f"{CONFIRM}?next=https://evil.example/", {"password": PASSWORD})
    assert answer["Location"] == "/admin/"


def test_a_code_confirms_too(ann_in: Client) -> None:
    secret = set_up_app(ann_in)
    make_stale(ann_in)
    page = ann_in.get(f"{CONFIRM}?next={KEYS}").content.decode()
    assert f"{CONFIRM}code/?next=" in page
    answer = ann_in.post(f"{CONFIRM}code/?next={KEYS}", {"code": code_of(secret)})
    assert answer["Location"] == KEYS


def test_whoever_has_no_password_confirms_by_what_they_have(ann: User, ann_in: Client) -> None:
    set_up_app(ann_in)
    ann.set_unusable_password()
    ann.save()
    ann_in.force_login(ann)
    make_stale(ann_in)
    assert ann_in.get(KEYS)["Location"].startswith(f"{CONFIRM}code/")


def test_the_first_half_of_a_sign_in_is_no_proof(ann: User, ann_in: Client) -> None:
    set_up_app(ann_in)
    client = Client()
    client.post("/account/login/", {"login": ann.email, "password": PASSWORD})
    assert PROVED_AT not in client.session


def test_a_proof_from_the_future_is_none(ann_in: Client) -> None:
    session = ann_in.session
    session[PROVED_AT] = time.time() + 3600
    session.save()
    assert ann_in.get(KEYS).status_code == 302


def test_how_long_a_proof_holds_is_a_setting(ann_in: Client, settings: Settings) -> None:
    make_stale(ann_in)
    settings.REAUTHENTICATION_SECONDS = 7200
    assert ann_in.get(KEYS).status_code == 200


def test_every_command_that_asks_for_it_sends_a_stale_session_away(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    furnished = furnish(tenant)
    client = console_for(tenant)
    make_stale(client)
    asking = [
        (table, command)
        for table in WITH_PAGES
        for command in console._registry[table].all_commands()
        if command.reauthenticate
    ]
    slugs = {command.slug for _, command in asking}
    assert {"promote", "roll-back", "remove", "change-role"} <= slugs
    for table, command in asking:
        row = furnished.newest(table)
        address = f"/admin/{table._meta.label_lower.replace('.', '/')}/{row.pk}/{command.slug}/"
        for answer in (client.get(address), client.post(address)):
            assert answer.status_code == 302, address
            assert answer["Location"].startswith("/account/"), address


def test_a_viewer_is_refused_before_being_asked(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.VIEWER)
    make_stale(client)
    assert client.get(KEYS).status_code == 403


@pytest.fixture
def member(tenant: Tenant) -> Membership:
    with tenant_scope(tenant):
        return add_member(email="bea@clinic.example", role="viewer", by=SYSTEM)


def test_a_session_of_the_api_is_told_to_confirm(
    tenant: Tenant, console_for: ConsoleFor, member: Membership
) -> None:
    client = console_for(tenant)
    make_stale(client)
    calls = [
        ("POST", "/api/v1/api-keys", {"name": "x", "scopes": ["read"]}),
        ("POST", "/api/v1/members", {"email": "new@clinic.example", "role": "admin"}),
        ("PATCH", f"/api/v1/members/{member.pk}", {"role": "admin"}),
        ("DELETE", f"/api/v1/members/{member.pk}", None),
        ("DELETE", "/api/v1/alert-rules/999999", None),
        ("POST", "/api/v1/models/nothing/promote", {"version": 1}),
        ("POST", "/api/v1/models/nothing/rollback", {}),
        ("PATCH", "/api/v1/tenant", {"require_second_factor": True}),
    ]
    for method, path, body in calls:
        answer = client.generic(method, path, json.dumps(body) if body else "", "application/json")
        assert (answer.status_code, answer.json()["code"]) == (403, "reauthentication_required"), path
    assert client.get("/api/v1/members").status_code == 200
    with tenant_scope(tenant), tenant_transaction():
        member.refresh_from_db()
    assert member.role == "viewer"


def test_inviting_somebody_asks_a_stale_session_to_confirm(ann_in: Client) -> None:
    make_stale(ann_in)
    assert ann_in.get("/admin/tenancy/membership/add/")["Location"].startswith(CONFIRM)


def test_an_api_key_is_its_own_proof(tenant: Tenant, api_for: ApiFor, member: Membership) -> None:
    assert api_for(tenant).delete(f"/api/v1/members/{member.pk}").status_code == 204


def test_changing_the_password_asks_for_it(ann_in: Client) -> None:
    make_stale(ann_in)
    assert ann_in.get("/admin/password_change/")["Location"].startswith(CONFIRM)
