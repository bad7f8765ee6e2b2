"""Members: added with a one-time link, given roles, removed; never across tenants."""

import re

import pytest
from django.test import Client

from mlplatform.tenancy.models import Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope
from tests.conftest import ConsoleFor
from tests.plugins.application_role import whole_database

MEMBERS = "/admin/tenancy/membership/"


def _link(page: str) -> str:
    found = re.search(r'value="http://testserver(/set-password/[^"]+)"', page)
    assert found is not None
    return found[1]


def test_a_new_member_gets_a_link_that_sets_the_first_password(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    page = console_for(tenant).post(f"{MEMBERS}add/", {"email": "Ada@clinic.example", "role": "analyst"})
    assert "no-store" in page["Cache-Control"]
    visitor = Client()
    form = visitor.get(_link(page.content.decode()), follow=True)
    password = {"new_password1": "a-Long-pass-9x", "new_password2": "a-Long-pass-9x"}
    visitor.post(form.request["PATH_INFO"], password)
    signed_in = visitor.post("/account/login/", {"login": "ada@clinic.example", "password": "a-Long-pass-9x"})
    assert signed_in["Location"] == "/admin/"


def test_a_used_link_is_refused(tenant: Tenant, console_for: ConsoleFor) -> None:
    page = console_for(tenant).post(f"{MEMBERS}add/", {"email": "ada@clinic.example", "role": "analyst"})
    address = _link(page.content.decode())
    user = User.objects.get(email="ada@clinic.example")
    user.set_password("something-Else-7")
    user.save()
    assert "does not work any more" in Client().get(address, follow=True).content.decode()


def test_an_existing_account_gets_no_link(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    console_for(other_tenant, Role.VIEWER)
    page = console_for(tenant).post(
        f"{MEMBERS}add/", {"email": "viewer@winery.example", "role": "viewer"}, follow=True
    )
    assert "/set-password/" not in page.content.decode()


def test_no_link_is_made_for_an_account_that_another_tenant_shares(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    console_for(other_tenant).post(f"{MEMBERS}add/", {"email": "eve@x.example", "role": "admin"})
    mine = console_for(tenant)
    mine.post(f"{MEMBERS}add/", {"email": "eve@x.example", "role": "viewer"})
    with tenant_scope(tenant):
        member = Membership.objects.get(user__email="eve@x.example")
    page = mine.post(f"{MEMBERS}{member.pk}/new-link/", follow=True)
    assert "/set-password/" not in page.content.decode()


def test_the_last_admin_stays(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    with tenant_scope(tenant):
        member = Membership.objects.get()
    page = client.post(f"{MEMBERS}{member.pk}/change-role/", {"role": "viewer"})
    assert "last admin" in page.content.decode()
    with tenant_scope(tenant):
        member.refresh_from_db()
    assert member.role == Role.ADMIN


@pytest.mark.parametrize("command", ["change-role/", "remove/", "new-link/", "history/"])
def test_another_tenants_member_is_missing(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor, command: str
) -> None:
    console_for(other_tenant)
    with tenant_scope(other_tenant):
        theirs = Membership.objects.get()
    answer = console_for(tenant).post(f"{MEMBERS}{theirs.pk}/{command}", {"role": "viewer"})
    assert answer.status_code == 404
    with whole_database():
        assert Membership.all_tenants.get(pk=theirs.pk).role == Role.ADMIN


def test_a_viewer_cannot_see_members(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant, Role.VIEWER)
    assert client.get(MEMBERS).status_code == 403
    assert client.post(f"{MEMBERS}add/", {"email": "a@b.example", "role": "admin"}).status_code == 403
