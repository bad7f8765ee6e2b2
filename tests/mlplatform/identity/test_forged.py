"""No forged request makes anybody a platform administrator (hostile inputs, line 10)."""

import pytest
from django.test import Client

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import add_member
from tests.conftest import ApiFor, ConsoleFor
from tests.mlplatform.identity.conftest import SECURITY, is_signed_in, sign_in

FORGED = {
    "is_superuser": "on",
    "is_staff": "on",
    "is_active": "on",
    "user": "1",
    "tenant": "1",
    "given_by": "corp",
    "groups": "1",
    "user_permissions": "1",
    "session_round": "7",
    "password": "mine-Now-77",
    "role": "admin",
}


@pytest.fixture
def bea(tenant: Tenant) -> Membership:
    with tenant_scope(tenant):
        return add_member(email="bea@clinic.example", role="viewer", by=SYSTEM)


def rights_of_everybody() -> list[tuple[str, bool, bool, str]]:
    return list(User.objects.order_by("pk").values_list("email", "is_superuser", "is_active", "password"))


def test_10_a_tenants_admin_changes_a_members_role_and_nothing_else(
    tenant: Tenant, other_tenant: Tenant, console_for: ConsoleFor, bea: Membership
) -> None:
    client = console_for(tenant)
    before = rights_of_everybody()
    client.post(f"/admin/tenancy/membership/{bea.pk}/change-role/", FORGED | {"tenant": str(other_tenant.pk)})
    assert rights_of_everybody() == before
    with tenant_scope(tenant), tenant_transaction():
        bea.refresh_from_db()
    assert (bea.role, bea.tenant_id, bea.given_by) == ("admin", tenant.pk, "")


def test_10_an_invitation_gives_no_platform_rights(tenant: Tenant, console_for: ConsoleFor) -> None:
    console_for(tenant).post("/admin/tenancy/membership/add/", FORGED | {"email": "new@clinic.example"})
    new = User.objects.get(email="new@clinic.example")
    assert (new.is_superuser, new.has_usable_password()) == (False, False)


@pytest.mark.parametrize("role", ["superuser", "owner", "", "ADMIN", "admin ", "viewer,admin"])
def test_10_a_role_that_is_none_is_refused(
    role: str, tenant: Tenant, api_for: ApiFor, bea: Membership
) -> None:
    assert api_for(tenant).patch(f"/api/v1/members/{bea.pk}", {"role": role}).status_code == 400
    answer = api_for(tenant).post("/api/v1/members", {"email": "x@clinic.example", "role": role})
    assert answer.status_code == 400


@pytest.mark.parametrize("field", [name for name in FORGED if name != "role"])
def test_10_the_api_refuses_fields_of_the_account(
    field: str, tenant: Tenant, api_for: ApiFor, bea: Membership
) -> None:
    body = {"role": "viewer", field: True}
    assert api_for(tenant).patch(f"/api/v1/members/{bea.pk}", body).status_code == 400


@pytest.mark.parametrize("page", ["user/", "user/{pk}/change/", "user/{pk}/new-link/", "tenant/"])
def test_10_pages_of_accounts_are_closed_to_tenants_admins(
    page: str, tenant: Tenant, console_for: ConsoleFor, bea: Membership
) -> None:
    client = console_for(tenant, Role.ADMIN)
    before = rights_of_everybody()
    address = f"/admin/tenancy/{page.replace('{pk}', str(bea.user_id))}"
    assert client.get(address).status_code == 403
    assert client.post(address, FORGED).status_code in {403, 405}
    assert rights_of_everybody() == before


@pytest.mark.parametrize("page", ["", "app/", "passkeys/new/", "sessions/end/"])
def test_10_a_persons_own_pages_give_no_rights(page: str, ann: User, ann_in: Client) -> None:
    before = rights_of_everybody()
    ann_in.post(SECURITY + page, FORGED)
    assert rights_of_everybody() == before


def test_10_the_sign_in_form_takes_its_two_fields_alone(ann: User) -> None:
    client = Client()
    sign_in(client)
    client.post("/account/login/", FORGED | {"login": ann.email})
    ann.refresh_from_db()
    assert is_signed_in(client)
    assert not ann.is_superuser
