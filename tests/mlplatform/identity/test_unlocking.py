"""Lifting a lock: by the tenant's admin, a platform administrator, a command."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from pytest_django import Settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import add_member
from tests.conftest import ApiFor, ConsoleFor
from tests.mlplatform.identity.conftest import PASSWORD, is_signed_in, recorded, sign_in

BEA = "bea@clinic.example"


@pytest.fixture
def locked(tenant: Tenant, settings: Settings) -> Membership:
    """A member who is locked out."""
    settings.AXES_FAILURE_LIMIT = 2
    with tenant_scope(tenant), tenant_transaction():
        membership = add_member(email=BEA, role="viewer", by=SYSTEM)
        membership.user.set_password(PASSWORD)
        membership.user.save()
    for _ in range(2):
        sign_in(Client(), BEA, "wrong")
    assert not gets_in()
    return membership


def gets_in() -> bool:
    client = Client()
    sign_in(client, BEA)
    return is_signed_in(client)


def test_the_tenants_admin_sees_the_lock_and_lifts_it(
    locked: Membership, tenant: Tenant, console_for: ConsoleFor
) -> None:
    client = console_for(tenant)
    page = f"/admin/tenancy/membership/{locked.pk}/"
    assert "After wrong answers from 127.0.0.1" in client.get(f"{page}change/").content.decode()
    client.post(f"{page}unlock/")
    assert gets_in()
    assert "Unlock sign-in" not in client.get(f"{page}change/").content.decode()
    (event,) = recorded(tenant, "account.unlocked")
    assert event.details == {"addresses": ["127.0.0.1"]}


def test_the_api_lifts_it(locked: Membership, tenant: Tenant, api_for: ApiFor) -> None:
    address = f"/api/v1/members/{locked.pk}/unlock"
    assert api_for(tenant).post(address).json()["email"] == BEA
    assert gets_in()
    assert api_for(tenant).post(address).status_code == 409


def test_a_platform_administrator_lifts_it(locked: Membership) -> None:
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner@platform.example"))
    owner.post(f"/admin/tenancy/user/{locked.user_id}/unlock/")
    assert gets_in()


def test_the_command_lifts_it(locked: Membership) -> None:
    out = StringIO()
    call_command("unlock_account", "--json", email=BEA, stdout=out)
    assert json.loads(out.getvalue()) == {"account": BEA, "was_locked_for": ["127.0.0.1"]}
    assert gets_in()
    with pytest.raises(CommandError, match="is not locked"):
        call_command("unlock_account", email=BEA)
    with pytest.raises(CommandError, match="no account"):
        call_command("unlock_account", email="nobody@example.com")


def test_nobody_else_lifts_it(
    locked: Membership, tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor
) -> None:
    page = f"/admin/tenancy/membership/{locked.pk}/unlock/"
    assert console_for(tenant, Role.APPROVER).post(page).status_code == 403
    assert console_for(other_tenant).post(page).status_code == 404
    assert not gets_in()


def test_a_platform_administrator_hands_out_a_link_to_a_new_password(
    locked: Membership, tenant: Tenant
) -> None:
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner@platform.example"))
    page = f"/admin/tenancy/user/{locked.user_id}/new-link/"
    assert "Whoever has the link can sign in" in owner.get(page).content.decode()
    made = owner.post(page).content.decode()
    link = made.partition('value="http://testserver')[2].partition('"')[0]
    visitor = Client()
    form = visitor.get(link, follow=True)
    passwords = dict.fromkeys(("new_password1", "new_password2"), "Another-Pass-77")
    visitor.post(form.request["PATH_INFO"], passwords)
    client = Client()
    sign_in(client, BEA, "Another-Pass-77", REMOTE_ADDR="203.0.113.9")
    assert is_signed_in(client)
    assert recorded(tenant, "account.link_issued")
