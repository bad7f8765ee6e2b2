"""Teams and rights on models in the console."""

import pytest
from django.test import Client

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Grant, Membership, Role, Team, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import add_member
from registry.models import RegisteredModel
from tests.conftest import ConsoleFor
from tests.factories import make_model

TEAMS, RIGHTS = "/admin/tenancy/team/", "/admin/tenancy/grant/"


@pytest.fixture
def client(tenant: Tenant, console_for: ConsoleFor) -> Client:
    with tenant_scope(tenant):
        make_model("churn")
        add_member(email="ann@clinic.example", role="viewer", by=SYSTEM)
    return console_for(tenant)


@pytest.fixture
def ann(client: Client, tenant: Tenant) -> Membership:
    with tenant_scope(tenant):
        return Membership.objects.get(user__email="ann@clinic.example")


@pytest.fixture
def churn(client: Client, tenant: Tenant) -> RegisteredModel:
    with tenant_scope(tenant):
        return RegisteredModel.objects.get()


def test_a_team_is_made_edited_and_deleted(client: Client, tenant: Tenant, ann: Membership) -> None:
    client.post(f"{TEAMS}add/", {"name": "Radiology", "members": [ann.pk]})
    with tenant_scope(tenant):
        team = Team.objects.get()
        assert list(team.members.all()) == [ann]
    page = client.get(f"{TEAMS}{team.pk}/change/").content.decode()
    assert "ann@clinic.example" in page
    client.post(f"{TEAMS}{team.pk}/edit/", {"name": "Imaging"})
    with tenant_scope(tenant):
        team = Team.objects.get()
        assert (team.name, team.members.count()) == ("Imaging", 0)
    client.post(f"{TEAMS}{team.pk}/remove/")
    with tenant_scope(tenant):
        assert not Team.objects.exists()


def test_a_taken_name_is_said_in_the_form(client: Client) -> None:
    client.post(f"{TEAMS}add/", {"name": "Radiology"})
    page = client.post(f"{TEAMS}add/", {"name": "Radiology"}).content.decode()
    assert "exists already" in page


def test_a_right_is_given_changed_and_taken_back(
    client: Client, tenant: Tenant, ann: Membership, churn: RegisteredModel
) -> None:
    form = client.get(f"{RIGHTS}add/?model={churn.pk}").content.decode()
    assert "ann@clinic.example" in form
    assert "admin@clinic.example (admin)" not in form  # an admin has every right
    client.post(f"{RIGHTS}add/", {"model": churn.pk, "holder": f"member:{ann.pk}", "role": "none"})
    with tenant_scope(tenant):
        grant = Grant.objects.get()
    assert (grant.role, grant.created_by) == ("none", "admin@clinic.example")
    assert "No access" in client.get(f"/admin/registry/registeredmodel/{churn.pk}/change/").content.decode()
    client.post(f"{RIGHTS}{grant.pk}/edit/", {"role": "operator"})
    with tenant_scope(tenant):
        assert Grant.objects.get().role == "operator"
    client.post(f"{RIGHTS}{grant.pk}/withdraw/")
    with tenant_scope(tenant):
        assert not Grant.objects.exists()


@pytest.mark.parametrize("holder", ["team:999999", "member:999999", "", "user:1", "team:x"])
def test_nobody_else_can_be_given_a_right(
    client: Client, tenant: Tenant, churn: RegisteredModel, holder: str
) -> None:
    page = client.post(f"{RIGHTS}add/", {"model": churn.pk, "holder": holder, "role": "viewer"})
    complaint = "not one of the available choices" if holder else "This field is required"
    assert complaint in page.content.decode()
    with tenant_scope(tenant):
        assert not Grant.objects.exists()


def test_another_tenants_members_teams_and_models_are_no_choice(
    client: Client, other_tenant: Tenant, churn: RegisteredModel, tenant: Tenant
) -> None:
    with tenant_scope(other_tenant):
        wine, theirs = make_model("wine"), add_member(email="w@winery.example", role="viewer", by=SYSTEM)
    form = client.get(f"{RIGHTS}add/").content.decode()
    assert "wine" not in form
    client.post(f"{RIGHTS}add/", {"model": wine.pk, "holder": f"member:{theirs.pk}", "role": "viewer"})
    client.post(f"{RIGHTS}add/", {"model": churn.pk, "holder": f"member:{theirs.pk}", "role": "viewer"})
    with tenant_scope(tenant):
        assert not Grant.objects.exists()


def test_rights_are_the_admins_alone(
    client: Client, tenant: Tenant, churn: RegisteredModel, console_for: ConsoleFor
) -> None:
    approver = console_for(tenant, Role.APPROVER)
    for address in (TEAMS, f"{TEAMS}add/", RIGHTS, f"{RIGHTS}add/"):
        assert approver.get(address).status_code == 403
    page = approver.get(f"/admin/registry/registeredmodel/{churn.pk}/change/").content.decode()
    assert "Who may do more" not in page
