"""Signing in and out, in the trail of each tenant of the account."""

import logging

import pytest
from django.test import Client

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key, revoke_api_key
from tests.conftest import ConsoleFor

PASSWORD = "a-Long-pass-9"
LOGIN = "/account/login/"


@pytest.fixture
def ann(tenant: Tenant, other_tenant: Tenant) -> User:
    """A member of both tenants."""
    user = User.objects.create_user("ann@example.com", PASSWORD)
    for owner in (tenant, other_tenant):
        with tenant_scope(owner), tenant_transaction():
            Membership.objects.create(user=user, role="admin")
    return user


def told(tenant: Tenant, *, besides: str = "tenant.created") -> list[tuple[str, str, str]]:
    with tenant_scope(tenant), tenant_transaction():
        events = AuditEvent.objects.exclude(action=besides).order_by("sequence")
        return [(event.action, event.actor_kind, event.object_label) for event in events]


def test_sign_in_and_sign_out_stand_in_each_tenants_trail(
    ann: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    client = Client()
    assert client.post(LOGIN, {"login": ann.email, "password": PASSWORD}).status_code == 302
    client.post("/admin/logout/")
    for owner in (tenant, other_tenant):
        assert told(owner) == [
            ("session.signed_in", "user", ann.email),
            ("session.signed_out", "user", ann.email),
        ]
    with tenant_scope(tenant), tenant_transaction():
        assert AuditEvent.objects.latest("sequence").address == "127.0.0.1"


def test_a_failed_sign_in_names_the_account_and_nothing_that_was_typed(ann: User, tenant: Tenant) -> None:
    Client().post(LOGIN, {"login": ann.email.upper(), "password": "hunter2-typed"})
    assert told(tenant) == [("session.sign_in_failed", "anonymous", ann.email)]
    assert "hunter2" not in str(AuditEvent.all_tenants.values_list("details", "after"))


def test_an_unknown_account_leaves_a_log_line_alone(
    ann: User, tenant: Tenant, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING):
        Client().post(LOGIN, {"login": "my-password@typed.here", "password": "x"})
    assert told(tenant) == []
    assert "no such account" in caplog.text
    assert "my-password" not in caplog.text


def test_guessing_passwords_does_not_flood_the_trail(ann: User, tenant: Tenant) -> None:
    for _ in range(14):
        Client().post(LOGIN, {"login": ann.email, "password": "x"})
    actions = [action for action, _, _ in told(tenant)]
    assert actions.count("session.sign_in_failed") == 10
    assert actions.count("session.locked_out") == 1


def test_a_known_key_that_is_refused_stands_in_its_tenants_trail(tenant: Tenant) -> None:
    with tenant_scope(tenant), tenant_transaction():
        made = create_api_key(name="lab", scopes=["read"], by=SYSTEM)
        revoke_api_key(key=made.key, by=SYSTEM)
    for secret in (made.secret, f"mlp_{made.key.prefix}_{'x' * 43}", f"mlp_{'z' * 8}_{'x' * 43}"):
        answer = Client().get("/api/v1/whoami", headers={"Authorization": f"Bearer {secret}"})
        assert answer.status_code == 401
    with tenant_scope(tenant), tenant_transaction():
        refused = AuditEvent.objects.filter(action="api_key.refused").order_by("sequence")
        assert [event.details["reason"] for event in refused] == ["no longer valid", "wrong secret"]


def test_working_for_another_tenant_is_recorded_there(
    ann: User, tenant: Tenant, other_tenant: Tenant
) -> None:
    client = Client()
    client.force_login(ann)
    client.post("/admin/switch-tenant/", {"tenant": other_tenant.pk})
    assert told(other_tenant)[-1] == ("tenant.entered", "user", "Hill Winery")
    client.post("/admin/switch-tenant/", {"tenant": 999_999})
    assert told(other_tenant)[-1][0] == "access.denied"


def test_a_changed_password_is_recorded(tenant: Tenant, console_for: ConsoleFor) -> None:
    client = console_for(tenant)
    new = "an-0ther-Long-pass"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", fields).status_code == 302
    assert told(tenant)[-1][0] == "account.password_changed"
