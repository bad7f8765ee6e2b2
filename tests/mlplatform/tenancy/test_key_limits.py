"""A key's own limit: set at its creation or later, through each door, never above its tenant's."""

import json
from io import StringIO

import pytest
from django.core.management import call_command
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import InvalidKeyRequest
from mlplatform.tenancy.limits import key_limit
from mlplatform.tenancy.models import ApiKey, AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key, limit_api_key
from tests.conftest import ApiFor, ConsoleFor

KEYS = "/api/v1/api-keys"
CONSOLE = "/admin/tenancy/apikey/"


def _key(tenant: Tenant, **fields: object) -> ApiKey:
    with tenant_scope(tenant):
        return ApiKey.objects.get(**fields)


@pytest.fixture
def admin(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant, "admin")


def test_a_key_has_no_limit_of_its_own_unless_one_is_given(in_tenant: Tenant) -> None:
    assert key_limit(create_api_key(name="free", scopes=["read"], by=SYSTEM).key) is None
    limited = create_api_key(name="slow", scopes=["read"], by=SYSTEM, requests_per_minute=30).key
    assert key_limit(limited) == 30


@pytest.mark.parametrize("wrong", [0, -1, 601, 10**30])
def test_a_limit_above_the_tenants_or_below_one_is_refused(in_tenant: Tenant, wrong: int) -> None:
    in_tenant.requests_per_minute = 600
    with pytest.raises(InvalidKeyRequest, match="from 1 to the tenant's own limit, 600"):
        create_api_key(name="greedy", scopes=["read"], by=SYSTEM, requests_per_minute=wrong)
    key = create_api_key(name="modest", scopes=["read"], by=SYSTEM).key
    with pytest.raises(InvalidKeyRequest):
        limit_api_key(key=key, requests_per_minute=wrong, by=SYSTEM)
    assert ApiKey.objects.get().requests_per_minute is None


def test_a_tenants_limit_that_was_lowered_later_holds_for_its_keys(in_tenant: Tenant) -> None:
    create_api_key(name="laboratory", scopes=["read"], by=SYSTEM, requests_per_minute=500)
    in_tenant.requests_per_minute = 100
    in_tenant.save()
    assert key_limit(ApiKey.objects.get()) == 100


def test_a_changed_limit_is_in_the_trail(in_tenant: Tenant) -> None:
    key = create_api_key(name="laboratory", scopes=["read"], by=SYSTEM, requests_per_minute=500).key
    limit_api_key(key=key, requests_per_minute=None, by=SYSTEM)
    event = AuditEvent.objects.get(action="api_key.limited")
    assert (event.before, event.after) == ({"requests_per_minute": 500}, {"requests_per_minute": None})


def test_the_api_sets_shows_and_changes_the_limit(admin: APIClient) -> None:
    made = admin.post(KEYS, {"name": "laboratory", "scopes": ["read"], "requests_per_minute": 60}).json()
    address = f"{KEYS}/{made['id']}"
    assert made["requests_per_minute"] == admin.get(address).json()["requests_per_minute"] == 60
    assert admin.patch(address, {"requests_per_minute": 90}).json()["requests_per_minute"] == 90
    assert admin.patch(address, {"requests_per_minute": None}).json()["requests_per_minute"] is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"requests_per_minute": 0},
        {"requests_per_minute": "many"},
        {"requests_per_minute": 5, "name": "x"},
    ],
)
def test_a_wrong_change_is_refused(admin: APIClient, tenant: Tenant, body: dict[str, object]) -> None:
    key = _key(tenant)
    assert admin.patch(f"{KEYS}/{key.pk}", body).status_code == 400
    assert _key(tenant).requests_per_minute is None


def test_another_tenants_key_is_not_found(admin: APIClient, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        foreign = create_api_key(name="cellar", scopes=["read"], by=SYSTEM).key
    assert admin.patch(f"{KEYS}/{foreign.pk}", {"requests_per_minute": 1}).status_code == 404
    assert _key(other_tenant).requests_per_minute is None


def test_the_console_sets_and_changes_the_limit(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    fields = {"name": "laboratory", "scopes": ["read"], "requests_per_minute": 60}
    assert b"is ready" in client.post(f"{CONSOLE}add/", fields).content
    key = _key(tenant)
    assert key.requests_per_minute == 60
    form = client.get(f"{CONSOLE}{key.pk}/limit/")
    assert b'value="60"' in form.content
    too_much = client.post(f"{CONSOLE}{key.pk}/limit/", {"requests_per_minute": 10**9})
    assert "own limit" in too_much.content.decode()
    assert client.post(f"{CONSOLE}{key.pk}/limit/", {"requests_per_minute": ""}).status_code == 302
    assert _key(tenant).requests_per_minute is None


def test_only_an_admin_changes_a_limit(tenant: Tenant, console_for: ConsoleFor, api_for: ApiFor) -> None:
    admin_key = api_for(tenant, "read", "predict", "feedback", "train", "deploy")
    key = _key(tenant)
    assert admin_key.patch(f"{KEYS}/{key.pk}", {"requests_per_minute": 1}).status_code == 403
    approver = console_for(tenant, Role.APPROVER)
    assert approver.post(f"{CONSOLE}{key.pk}/limit/", {"requests_per_minute": 1}).status_code == 403


def test_the_command_sets_the_limit(tenant: Tenant) -> None:
    out = StringIO()
    options = ("--tenant", tenant.slug, "--name", "laboratory", "--scopes", "read", "--json")
    call_command("create_api_key", *options, "--requests-per-minute", "60", stdout=out)
    assert json.loads(out.getvalue())["name"] == "laboratory"
    assert _key(tenant, name="laboratory").requests_per_minute == 60
