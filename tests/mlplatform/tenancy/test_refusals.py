"""Denied requests are in the trail, whichever door was tried."""

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import AuditEvent, Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import make_model


def denied(tenant: Tenant) -> list[tuple[str, str, int]]:
    with tenant_scope(tenant), tenant_transaction():
        events = AuditEvent.objects.filter(action="access.denied").order_by("sequence")
        return [(event.actor_kind, event.object_label, event.details["status"]) for event in events]


def test_a_key_without_the_scope_is_recorded(tenant: Tenant, api_for: ApiFor) -> None:
    api_for(tenant, "read").post("/api/v1/models", {})
    assert denied(tenant) == [("api_key", "POST /api/v1/models", 403)]


def test_a_foreign_object_and_a_missing_one_are_recorded_alike(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        make_model("secret")
    stranger = api_for(other_tenant)
    for name in ("secret", "nothing"):
        assert stranger.get(f"/api/v1/models/{name}").status_code == 404
    assert denied(other_tenant) == [
        ("api_key", "GET /api/v1/models/secret", 404),
        ("api_key", "GET /api/v1/models/nothing", 404),
    ]
    assert denied(tenant) == []


def test_the_console_records_pages_that_are_not_for_the_person(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    with tenant_scope(tenant), tenant_transaction():
        model = make_model("secret")
    viewer = console_for(other_tenant, Role.VIEWER)
    page = f"/admin/registry/registeredmodel/{model.pk}/change/"
    assert viewer.get("/admin/tenancy/auditevent/").status_code == 403
    assert viewer.get(page).status_code == 302
    assert denied(other_tenant) == [
        ("user", "GET /admin/tenancy/auditevent/", 403),
        ("user", f"GET {page}", 302),
    ]


@pytest.mark.parametrize("path", ["/api/v1/nothing-here", "/admin/nothing-here/", "/api/v1/models"])
def test_an_address_that_does_not_exist_is_no_attempt(
    tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor, path: str
) -> None:
    (api_for(tenant) if path.startswith("/api") else console_for(tenant)).get(path)
    assert denied(tenant) == []


def test_who_is_not_signed_in_writes_nothing(tenant: Tenant) -> None:
    APIClient().get("/api/v1/models/secret")
    assert denied(tenant) == []
