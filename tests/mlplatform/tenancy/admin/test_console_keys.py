"""API keys in the console: the secret appears once, revoking ends the key."""

import re

from rest_framework.test import APIClient

from mlplatform.tenancy.models import ApiKey, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ConsoleFor
from tests.factories import make_model

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


def test_a_key_is_rotated_and_both_pages_name_the_other(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    old = _made(client)
    with tenant_scope(tenant):
        key = ApiKey.objects.get()
    page = client.post(f"{KEYS}{key.pk}/rotate/", {"overlap_hours": "0"}).content.decode()
    new = re.search(r"mlp_[A-Za-z0-9]{8}_[A-Za-z0-9_-]{43}", page)
    assert new is not None
    assert (_status(old), _status(new[0])) == (401, 200)
    with tenant_scope(tenant):
        successor = ApiKey.objects.get(rotated_from=key)
    assert f"{KEYS}{successor.pk}/change/" in client.get(f"{KEYS}{key.pk}/change/").content.decode()
    assert f"{KEYS}{key.pk}/change/" in client.get(f"{KEYS}{successor.pk}/change/").content.decode()


def test_a_key_can_be_made_for_some_models(tenant: Tenant, console_for: ConsoleFor) -> None:
    with tenant_scope(tenant):
        make_model("churn"), make_model("biopsy")
    client = console_for(tenant)
    assert "churn" in client.get(f"{KEYS}add/").content.decode()
    _made(client, models=["churn"])
    with tenant_scope(tenant):
        assert ApiKey.objects.get().model_names == ["churn"]


def test_models_of_another_tenant_are_no_choice(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(other_tenant):
        make_model("wine")
    client = console_for(tenant)
    assert "wine" not in client.get(f"{KEYS}add/").content.decode()
    page = client.post(f"{KEYS}add/", {"name": "x", "scopes": ["read"], "models": ["wine"]})
    assert "not one of the available choices" in page.content.decode()
