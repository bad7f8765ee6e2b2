"""Tenants that demand a second factor stay closed, by every door, to whoever has none."""

import pytest
from django.test import Client

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.settings import change_settings
from tests.conftest import ApiFor
from tests.mlplatform.identity.conftest import SECURITY, set_up_app

DOORS = [
    "/admin/",
    "/admin/registry/dataset/",
    "/admin/tenancy/membership/add/",
    "/admin/settings/",
    "/admin/search/?s=data",
    "/admin/autocomplete/",
    "/admin/jsi18n/x",
]


@pytest.fixture
def strict(tenant: Tenant) -> Tenant:
    """The clinic, which demands a second factor."""
    with tenant_scope(tenant):
        return change_settings(changes={"require_second_factor": True}, by=SYSTEM)


@pytest.mark.parametrize("door", DOORS)
def test_the_console_sends_to_the_set_up_and_shows_nothing_of_the_tenant(
    door: str, ann_in: Client, strict: Tenant
) -> None:
    for answer in (ann_in.get(door), ann_in.post(door)):
        assert answer["Location"] == SECURITY
    page = ann_in.get(SECURITY).content.decode()
    assert "North Clinic asks for a second factor" in page
    assert "/admin/registry/" not in page


@pytest.mark.parametrize("path", ["whoami", "models", "members", "tenant", "system/status", "audit/export"])
def test_the_api_is_closed_to_the_session_and_says_why(path: str, ann_in: Client, strict: Tenant) -> None:
    answer = ann_in.get(f"/api/v1/{path}")
    assert (answer.status_code, answer.json()["code"]) == (403, "second_factor_required")


def test_with_a_second_factor_everything_opens(ann_in: Client, strict: Tenant) -> None:
    set_up_app(ann_in)
    assert ann_in.get("/admin/registry/dataset/").status_code == 200
    assert ann_in.get("/api/v1/whoami").json()["tenant"] == "clinic"


def test_without_it_again_everything_closes(ann_in: Client, strict: Tenant) -> None:
    set_up_app(ann_in)
    ann_in.post(f"{SECURITY}app/remove/")
    assert ann_in.get("/admin/")["Location"] == SECURITY


def test_the_persons_other_tenant_stays_open(
    ann: User, ann_in: Client, strict: Tenant, other_tenant: Tenant
) -> None:
    with tenant_scope(other_tenant), tenant_transaction():
        Membership.objects.create(user=ann, role="viewer")
    ann_in.post("/admin/switch-tenant/", {"tenant": other_tenant.pk})
    assert "Hill Winery" in ann_in.get("/admin/").content.decode()
    page = ann_in.post("/admin/switch-tenant/", {"tenant": strict.pk}, follow=True)
    assert page.redirect_chain[-1][0] == SECURITY
    assert "You now work for" not in page.content.decode()


def test_a_platform_administrator_is_no_exception(strict: Tenant) -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("owner@platform.example"))
    client.post("/admin/switch-tenant/", {"tenant": strict.pk})
    assert client.get("/admin/registry/dataset/")["Location"] == SECURITY
    assert client.get("/admin/tenancy/tenant/").status_code == 200  # the installation is not the tenant's


def test_api_keys_are_not_asked(strict: Tenant, api_for: ApiFor) -> None:
    assert api_for(strict).get("/api/v1/whoami").status_code == 200


def test_a_tenant_that_demands_nothing_asks_for_nothing(ann_in: Client) -> None:
    assert ann_in.get("/admin/").status_code == 200
