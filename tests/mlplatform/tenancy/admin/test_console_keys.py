"""API keys in the console: the secret appears once, revoking ends the key."""

import re

from rest_framework.test import APIClient

from mlplatform.tenancy.models import ApiKey, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ConsoleFor

KEYS = "/admin/tenancy/apikey/"
WHOAMI = "/api/v1/whoami"


def _made(client: object, **fields: object) -> str:
    page = client.post(f"{KEYS}add/", {"name": "laboratory", "scopes": ["read"], **fields})  # type: ignore[attr-defined]  # a test client
    found = re.search(r"mlp_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}", page.content.decode())
    assert found is not None, page.content.decode()
    return found[0]


def _status(secret: str) -> int:
    return APIClient().get(WHOAMI, HTTP_AUTHORIZATION=f"Bearer {secret}").status_code


def test_the_secret_is_shown_once_and_works(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    secret = _made(client)
    assert _status(secret) == 200
    with tenant_scope(tenant):
        key = ApiKey.objects.get()
    for address in (KEYS, f"{KEYS}{key.pk}/change/"):
        assert secret not in client.get(address).content.decode()


def test_a_revoked_key_is_refused(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    secret = _made(client)
    with tenant_scope(tenant):
        key = ApiKey.objects.get()
    client.post(f"{KEYS}{key.pk}/revoke/")
    assert _status(secret) == 401


def test_a_missing_scope_is_said_at_the_field(tenant: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(tenant).post(f"{KEYS}add/", {"name": "laboratory"})
    assert "This field is required" in page.content.decode()


def test_revoking_another_tenants_key_by_a_list_action_changes_nothing(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    secret = _made(console_for(other_tenant))
    with tenant_scope(other_tenant):
        key = ApiKey.objects.get()
    form = {"action": "revoke_selected", "_selected_action": [key.pk], "select_across": "1", "index": "0"}
    console_for(tenant).post(KEYS, form)
    assert _status(secret) == 200


def test_an_operator_cannot_make_keys(tenant: Tenant, console_for: ConsoleFor) -> None:
    assert console_for(tenant, Role.OPERATOR).get(f"{KEYS}add/").status_code == 403
