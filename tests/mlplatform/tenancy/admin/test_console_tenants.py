"""Choosing and switching tenants, and what only the installation's owner sees."""

import pytest
from django.test import Client

from mlplatform.tenancy.models import AuditEvent, Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ConsoleFor
from tests.plugins.application_role import whole_database


@pytest.fixture
def owner(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner@platform.example", "a-Long-pass-9"))
    return client


def test_an_owner_is_asked_to_choose_a_tenant_first(owner: Client, tenant: Tenant) -> None:
    page = owner.get("/admin/").content.decode()
    assert "Which tenant do you want to work for?" in page
    assert "North Clinic" in page


def test_no_tenants_table_opens_before_the_choice(owner: Client, tenant: Tenant) -> None:
    assert "Which tenant do you want" in owner.get("/admin/tenancy/membership/").content.decode()


def test_an_owner_without_any_tenant_is_led_to_make_one(owner: Client) -> None:
    assert "Create a tenant" in owner.get("/admin/").content.decode()
    owner.post("/admin/tenancy/tenant/add/", {"name": "Hill Winery", "slug": "winery"})
    assert Tenant.objects.get().slug == "winery"


def test_a_taken_short_name_is_refused_in_the_form(owner: Client, tenant: Tenant) -> None:
    page = owner.post("/admin/tenancy/tenant/add/", {"name": "Other", "slug": "clinic"})
    assert "exists already" in page.content.decode()


def test_the_chosen_tenant_is_worked_for(owner: Client, tenant: Tenant) -> None:
    page = owner.post("/admin/switch-tenant/", {"tenant": tenant.pk}, follow=True)
    assert "You now work for North Clinic" in page.content.decode()
    assert owner.get("/admin/tenancy/membership/").status_code == 200


def test_a_member_of_one_tenant_goes_straight_in(tenant: Tenant, console_for: ConsoleFor) -> None:
    assert "Needs attention today" in console_for(tenant, Role.VIEWER).get("/admin/").content.decode()


def test_nobody_switches_to_a_tenant_of_others(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    page = console_for(tenant).post("/admin/switch-tenant/", {"tenant": other_tenant.pk}, follow=True)
    text = page.content.decode()
    assert "no such tenant among yours" in text
    assert "Hill Winery" not in text


def test_switching_needs_a_post(tenant: Tenant, console_for: ConsoleFor) -> None:
    assert console_for(tenant).get("/admin/switch-tenant/").status_code == 405


def test_a_removed_member_is_told_so(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    with whole_database():
        Membership.all_tenants.all().delete()
    assert "not a member of any tenant" in client.get("/admin/").content.decode()


@pytest.mark.parametrize("address", ["/admin/tenancy/tenant/", "/admin/tenancy/user/"])
def test_tenants_and_accounts_are_the_owners_alone(
    tenant: Tenant, console_for: ConsoleFor, address: str
) -> None:
    assert console_for(tenant).get(address).status_code == 403


def test_beats_own_tables_are_not_in_the_console(owner: Client, tenant: Tenant) -> None:
    owner.post("/admin/switch-tenant/", {"tenant": tenant.pk})
    assert owner.get("/admin/django_celery_beat/periodictask/").status_code == 404


def test_a_switched_off_account_is_out(owner: Client, tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.VIEWER)
    user = User.objects.get(email="viewer@clinic.example")
    owner.post(f"/admin/tenancy/user/{user.pk}/deactivate/")
    assert client.get("/admin/").status_code == 302
    with tenant_scope(tenant):
        assert AuditEvent.objects.filter(action="account.deactivated").exists()


def test_owners_cannot_lock_themselves_out(owner: Client) -> None:
    me = User.objects.get(email="owner@platform.example")
    page = owner.post(f"/admin/tenancy/user/{me.pk}/deactivate/", follow=True)
    assert "your own account" in page.content.decode()


def test_signing_in_asks_for_the_email(db: None) -> None:
    page = Client().get("/account/login/").content.decode()
    assert "E-mail" in page


def test_an_owner_without_a_tenant_reads_no_trail(owner: Client, tenant: Tenant) -> None:
    page = owner.get(f"/admin/tenancy/tenant/{tenant.pk}/change/").content.decode()
    assert "/history/" not in page
    assert owner.get(f"/admin/tenancy/tenant/{tenant.pk}/history/").status_code == 403


def test_a_tenant_that_is_switched_off_and_on(owner: Client, tenant: Tenant, console_for: ConsoleFor) -> None:
    member = console_for(tenant)
    owner.post(f"/admin/tenancy/tenant/{tenant.pk}/deactivate/")
    assert "not a member of any tenant" in member.get("/admin/").content.decode()
    owner.post(f"/admin/tenancy/tenant/{tenant.pk}/activate/")
    assert "Needs attention" in member.get("/admin/").content.decode()


def test_an_accounts_memberships_are_on_its_page(
    owner: Client, tenant: Tenant, console_for: ConsoleFor
) -> None:
    console_for(tenant, Role.VIEWER)
    user = User.objects.get(email="viewer@clinic.example")
    page = owner.get(f"/admin/tenancy/user/{user.pk}/change/").content.decode()
    assert "North Clinic" in page
    owner.post(f"/admin/tenancy/user/{user.pk}/deactivate/")
    owner.post(f"/admin/tenancy/user/{user.pk}/activate/")
    user.refresh_from_db()
    assert user.is_active
    assert "viewer@clinic.example" in owner.get("/admin/tenancy/user/").content.decode()
    assert "North Clinic" in owner.get("/admin/tenancy/tenant/").content.decode()
