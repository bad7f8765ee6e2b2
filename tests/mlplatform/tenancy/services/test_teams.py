"""Teams: who belongs to them, unique names, and what ends with them."""

import pytest

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import TeamExists, TeamNotFound
from mlplatform.tenancy.models import AuditEvent, Grant, Membership, Team, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.grants import give_right
from mlplatform.tenancy.services.teams import create_team, delete_team, find_team, members_with, update_team
from mlplatform.tenancy.services.tenants import add_member
from tests.factories import make_model


def member(name: str) -> Membership:
    return add_member(email=f"{name}@clinic.example", role="viewer", by=SYSTEM)


def emails(team: Team) -> list[str]:
    return sorted(one.email for one in team.members.all())


def test_team_consists_of_whom_it_was_told(in_tenant: Tenant) -> None:
    ann, bob = member("ann"), member("bob")
    team = create_team(name=" Radiology ", members=[ann], by=SYSTEM)
    assert (team.name, emails(team)) == ("Radiology", ["ann@clinic.example"])
    update_team(team=team, members=[bob], by=SYSTEM)
    assert emails(team) == ["bob@clinic.example"]
    update_team(team=team, members=[ann, bob], by=SYSTEM)
    update_team(team=team, name="Imaging", by=SYSTEM)
    assert (find_team("Imaging"), len(emails(team))) == (team, 2)


def test_change_is_recorded_with_both_states(in_tenant: Tenant) -> None:
    team = create_team(name="Radiology", by=SYSTEM)
    update_team(team=team, members=[member("ann")], by=SYSTEM)
    event = AuditEvent.objects.get(action="team.updated")
    assert event.before == {"name": "Radiology", "members": []}
    assert event.after == {"name": "Radiology", "members": ["ann@clinic.example"]}


def test_names_are_taken_once_in_a_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        create_team(name="Radiology", by=SYSTEM)
    with tenant_scope(tenant):
        create_team(name="Radiology", by=SYSTEM)
        with pytest.raises(TeamExists):
            create_team(name="Radiology", by=SYSTEM)
        second = create_team(name="Imaging", by=SYSTEM)
        with pytest.raises(TeamExists):
            update_team(team=second, name="Radiology", by=SYSTEM)


@pytest.mark.parametrize("name", ["", "   "])
def test_team_needs_a_name(in_tenant: Tenant, name: str) -> None:
    with pytest.raises(InvalidInput, match="a name"):
        create_team(name=name, by=SYSTEM)


def test_deleting_a_team_ends_its_rights_and_keeps_its_members(in_tenant: Tenant) -> None:
    team = create_team(name="Radiology", members=[member("ann")], by=SYSTEM)
    give_right(model=make_model("churn"), holder=team, role="none", by=SYSTEM)
    delete_team(team=team, by=SYSTEM)
    assert not Grant.objects.exists()
    assert Membership.objects.count() == 1
    recorded = AuditEvent.objects.get(action="team.deleted").before or {}
    assert recorded["rights"] == ["Radiology on churn: none"]


def test_members_are_found_by_address_within_the_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        add_member(email="wine@winery.example", role="viewer", by=SYSTEM)
    with tenant_scope(tenant):
        ann = member("ann")
        assert members_with(["ANN@clinic.example", "ann@clinic.example"]) == [ann]
        with pytest.raises(InvalidInput, match="no members: wine@winery"):
            members_with(["ann@clinic.example", "wine@winery.example"])


def test_foreign_team_is_not_found(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        create_team(name="Cellar", by=SYSTEM)
    with tenant_scope(tenant), pytest.raises(TeamNotFound):
        find_team("Cellar")
