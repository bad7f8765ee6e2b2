"""Roles and scopes: one table says who may do what."""

from itertools import pairwise

import pytest
from django.contrib.auth.models import AnonymousUser

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Role, Scope, Tenant, User
from mlplatform.tenancy.permissions import (
    MODEL_CAPABILITIES,
    ROLE_CAPABILITIES,
    SCOPE_CAPABILITIES,
    Capability,
    can,
    needed_for,
)
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.api_keys import create_api_key
from registry.models import RegisteredModel


def member(tenant: Tenant, role: str) -> User:
    user = User.objects.create_user(f"{role}@example.com")
    with tenant_scope(tenant):
        Membership.objects.create(user=user, role=role)
    return user


def test_every_role_and_scope_is_in_the_tables() -> None:
    assert set(ROLE_CAPABILITIES) == set(Role.values)
    assert set(SCOPE_CAPABILITIES) == set(Scope.values)


def test_each_role_includes_the_ones_before_it() -> None:
    ladder = [ROLE_CAPABILITIES[role] for role in Role.values]
    assert all(lower < higher for lower, higher in pairwise(ladder))


@pytest.mark.parametrize(
    ("role", "allowed", "refused"),
    [
        (Role.VIEWER, Capability.VIEW, Capability.TRAIN),
        (Role.ANALYST, Capability.TRAIN, Capability.DEPLOY),
        (Role.OPERATOR, Capability.DEPLOY, Capability.APPROVE),
        (Role.APPROVER, Capability.APPROVE, Capability.ADMIN),
        (Role.ADMIN, Capability.ADMIN, None),
    ],
)
def test_role_allows_and_refuses(
    tenant: Tenant, role: str, allowed: Capability, refused: Capability | None
) -> None:
    user = member(tenant, role)
    with tenant_scope(tenant):
        assert can(user, allowed)
        assert refused is None or not can(user, refused)


def test_role_counts_in_its_own_tenant_only(tenant: Tenant, other_tenant: Tenant) -> None:
    user = member(tenant, Role.ADMIN)
    with tenant_scope(other_tenant):
        assert not can(user, Capability.VIEW)
    assert not can(user, Capability.VIEW)


def test_removed_member_loses_everything_at_once(tenant: Tenant) -> None:
    user = member(tenant, Role.ADMIN)
    with tenant_scope(tenant):
        assert can(user, Capability.VIEW)
        Membership.objects.filter(user=user).delete()
        assert not can(user, Capability.VIEW)


def test_inactive_and_anonymous_may_nothing(tenant: Tenant) -> None:
    user = member(tenant, Role.ADMIN)
    user.is_active = False
    with tenant_scope(tenant):
        assert not can(user, Capability.VIEW)
        assert not can(AnonymousUser(), Capability.VIEW)
        assert not can(None, Capability.VIEW)


def test_superuser_too_needs_a_tenant(tenant: Tenant) -> None:
    root = User.objects.create_superuser("root@example.com")
    assert not can(root, Capability.VIEW)
    with tenant_scope(tenant):
        assert can(root, Capability.ADMIN)


def test_key_is_good_for_its_scopes_in_its_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(tenant):
        key = create_api_key(name="lab", scopes=["predict"], by=SYSTEM).key
        assert can(key, Capability.PREDICT)
        assert not can(key, Capability.VIEW)
    with tenant_scope(other_tenant):
        assert not can(key, Capability.PREDICT)


def test_django_permissions_follow_the_role(tenant: Tenant) -> None:
    analyst, viewer = member(tenant, Role.ANALYST), member(tenant, Role.VIEWER)
    with tenant_scope(tenant):
        assert analyst.has_perm("registry.add_dataset")
        assert viewer.has_perm("registry.view_dataset")
        assert not viewer.has_perm("registry.add_dataset")
        assert not viewer.has_perm("tenancy.view_apikey")
        assert not analyst.has_perm("django_celery_beat.change_periodictask")
        assert viewer.has_module_perms("registry")
        assert not viewer.has_module_perms("django_celery_beat")
        assert "registry.view_prediction" in viewer.get_all_permissions()
        assert "registry.change_dataset" not in viewer.get_all_permissions()


def test_permission_for_another_tenants_object_is_refused(tenant: Tenant, other_tenant: Tenant) -> None:
    admin = member(tenant, Role.ADMIN)
    with tenant_scope(other_tenant):
        theirs = RegisteredModel.objects.create(name="m", problem_type="regression", target="y")
    with tenant_scope(tenant):
        assert not admin.has_perm("registry.view_registeredmodel", theirs)


def test_tables_without_an_entry_are_open_to_nobody() -> None:
    assert needed_for("tenancy.change_user") is None
    assert needed_for("sessions.view_session") is None
    assert needed_for("nonsense") is None
    assert "tenancy.tenant" not in MODEL_CAPABILITIES
