"""Rights on one model: whose right holds, what it hides, and what it leaves as it was."""

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import GrantNotFound, InvalidGrant
from mlplatform.tenancy.models import AuditEvent, Grant, Membership, Role, Team, Tenant, User
from mlplatform.tenancy.models.team import NO_ACCESS
from mlplatform.tenancy.permissions import Capability, allowed_models, can, can_somewhere, rights_of
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.grants import find_grant, give_right, withdraw_right
from mlplatform.tenancy.services.teams import create_team
from mlplatform.tenancy.services.tenants import add_member, change_role, remove_member
from registry.models import RegisteredModel
from tests.factories import make_model, make_version


def member(role: str = Role.ANALYST, name: str = "ann") -> Membership:
    return add_member(email=f"{name}@clinic.example", role=role, by=SYSTEM)


def give(model: RegisteredModel, holder: Membership | Team, role: str) -> Grant:
    return give_right(model=model, holder=holder, role=role, by=SYSTEM)


@pytest.fixture
def churn(in_tenant: Tenant) -> RegisteredModel:
    return make_model("churn")


@pytest.fixture
def biopsy(in_tenant: Tenant) -> RegisteredModel:
    return make_model("biopsy")


def test_right_is_narrowed_on_one_model_alone(churn: RegisteredModel, biopsy: RegisteredModel) -> None:
    ann = member(Role.OPERATOR)
    give(churn, ann, Role.VIEWER)
    assert can(ann.user, Capability.VIEW, churn)
    assert not can(ann.user, Capability.DEPLOY, churn)
    assert can(ann.user, Capability.DEPLOY, biopsy)
    assert can(ann.user, Capability.DEPLOY)


def test_right_is_widened_on_one_model_alone(churn: RegisteredModel, biopsy: RegisteredModel) -> None:
    ann = member(Role.VIEWER)
    give(churn, ann, Role.OPERATOR)
    assert can(ann.user, Capability.DEPLOY, churn)
    assert not can(ann.user, Capability.DEPLOY, biopsy)
    assert not can(ann.user, Capability.DEPLOY)
    assert can_somewhere(ann.user, Capability.DEPLOY)
    assert not can_somewhere(ann.user, Capability.ADMIN)


def test_rows_of_a_model_are_judged_like_the_model(churn: RegisteredModel) -> None:
    ann = member(Role.VIEWER)
    version = make_version(churn)
    give(churn, ann, Role.OPERATOR)
    assert can(ann.user, Capability.DEPLOY, version)
    assert ann.user.has_perm("registry.change_deployment", version)
    assert not can(ann.user, Capability.DATA, version.dataset)  # belongs to no model


def test_own_right_comes_before_the_teams_even_where_it_is_narrower(churn: RegisteredModel) -> None:
    ann = member()
    give(churn, create_team(name="all", members=[ann], by=SYSTEM), Role.APPROVER)
    give(churn, ann, Role.VIEWER)
    assert rights_of(ann.user).on("churn") == {Capability.VIEW}


@pytest.mark.parametrize("order", [(NO_ACCESS, Role.OPERATOR), (Role.OPERATOR, NO_ACCESS)])
def test_of_several_teams_the_widest_right_holds(churn: RegisteredModel, order: tuple[str, str]) -> None:
    ann = member(Role.VIEWER)
    for number, role in enumerate(order):
        give(churn, create_team(name=f"team {number}", members=[ann], by=SYSTEM), role)
    assert can(ann.user, Capability.DEPLOY, churn)


def test_a_team_can_narrow_below_the_role_in_the_tenant(churn: RegisteredModel) -> None:
    ann = member(Role.APPROVER)
    give(churn, create_team(name="interns", members=[ann], by=SYSTEM), NO_ACCESS)
    assert not can(ann.user, Capability.VIEW, churn)


def test_right_of_a_team_leaves_others_alone(churn: RegisteredModel) -> None:
    ann, bob = member(), member(name="bob")
    give(churn, create_team(name="interns", members=[ann], by=SYSTEM), NO_ACCESS)
    assert can(bob.user, Capability.TRAIN, churn)


def test_changes_count_at_once(churn: RegisteredModel) -> None:
    ann = member(Role.VIEWER)
    grant = give(churn, ann, NO_ACCESS)
    assert not can(ann.user, Capability.VIEW, churn)
    give(churn, ann, Role.ANALYST)
    assert can(ann.user, Capability.TRAIN, churn)
    assert Grant.objects.count() == 1
    withdraw_right(grant=grant, by=SYSTEM)
    assert rights_of(ann.user).on("churn") == {Capability.VIEW}


def test_rights_end_with_the_membership_and_do_not_come_back(churn: RegisteredModel) -> None:
    ann = member(Role.VIEWER)
    give(churn, create_team(name="all", members=[ann], by=SYSTEM), Role.OPERATOR)
    give(churn, ann, Role.APPROVER)
    remove_member(membership=ann, by=SYSTEM)
    user = User.objects.get(email="ann@clinic.example")
    assert not can_somewhere(user, Capability.VIEW)
    member(Role.VIEWER)
    assert rights_of(user).on("churn") == {Capability.VIEW}


def test_admins_are_limited_by_no_model(churn: RegisteredModel) -> None:
    boss = member(Role.ADMIN, "boss")
    with pytest.raises(InvalidGrant, match="is an admin"):
        give(churn, boss, NO_ACCESS)
    give(churn, create_team(name="all", members=[boss], by=SYSTEM), NO_ACCESS)
    assert can(boss.user, Capability.ADMIN, churn)
    later = member(Role.VIEWER, "later")
    give(churn, later, NO_ACCESS)
    change_role(membership=later, role=Role.ADMIN, by=SYSTEM)
    assert can(later.user, Capability.VIEW, churn)


@pytest.mark.parametrize("role", [Role.ADMIN, "emperor", "", "no\x00ne"])
def test_what_cannot_be_granted_is_refused(churn: RegisteredModel, role: str) -> None:
    with pytest.raises(InvalidGrant) as refused:
        give(churn, member(), role)
    assert list(refused.value.fields or ()) == ["role"]
    assert not Grant.objects.exists()


def test_forms_offer_the_models_on_which_a_person_may_act(
    churn: RegisteredModel, biopsy: RegisteredModel
) -> None:
    ann, bob = member(Role.VIEWER), member(Role.ANALYST, "bob")
    give(churn, ann, Role.ANALYST)
    give(churn, bob, Role.VIEWER)
    assert list(allowed_models(ann.user, Capability.TRAIN)) == [churn]
    assert list(allowed_models(bob.user, Capability.TRAIN)) == [biopsy]
    assert list(allowed_models(bob.user, Capability.VIEW)) == [biopsy, churn]


def test_each_change_is_in_the_models_history(churn: RegisteredModel) -> None:
    ann = member()
    grant = give(churn, ann, Role.VIEWER)
    give(churn, ann, NO_ACCESS)
    withdraw_right(grant=grant, by=SYSTEM)
    events = AuditEvent.objects.filter(object_id=str(churn.pk), action__startswith="access").order_by(
        "sequence"
    )
    told = [
        (event.action, event.before and event.before["role"], event.after and event.after["role"])
        for event in events
    ]
    assert told == [
        ("access.granted", None, "viewer"),
        ("access.granted", "viewer", "none"),
        ("access.withdrawn", "none", None),
    ]


def test_rights_of_another_model_or_tenant_are_not_found(
    churn: RegisteredModel, biopsy: RegisteredModel, other_tenant: Tenant
) -> None:
    grant = give(churn, member(), Role.VIEWER)
    assert find_grant(churn, grant.pk) == grant
    with pytest.raises(GrantNotFound):
        find_grant(biopsy, grant.pk)
    with tenant_scope(other_tenant), pytest.raises(GrantNotFound):
        find_grant(churn, grant.pk)
