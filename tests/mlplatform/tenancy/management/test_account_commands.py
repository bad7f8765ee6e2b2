"""Accounts by command: whoever gets, or loses, power over a tenant's data stands in the tenant's trail."""

import io
import sys
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.management.passwords import VARIABLE, asked_password
from mlplatform.tenancy.models import AuditEvent, Role, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import add_member

PASSWORD = "long-Enough-9-words"


@pytest.fixture(autouse=True)
def _password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)


def events(tenant: Tenant, action: str) -> list[tuple[str, str, Any]]:
    with tenant_scope(tenant), tenant_transaction():
        found = AuditEvent.objects.filter(action=action)
        return [(one.actor_kind, one.object_label, one.after) for one in found]


def test_a_platform_administrator_is_told_to_every_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    call_command("createsuperuser", email="Root@Example.org", stdout=io.StringIO())
    user = User.objects.get()
    assert (user.email, user.is_superuser, user.is_staff) == ("root@example.org", True, True)
    assert user.check_password(PASSWORD)
    told = [("command", "root@example.org", {"email": "root@example.org"})]
    assert events(tenant, "platform_admin.created") == told
    assert events(other_tenant, "platform_admin.created") == told


def test_a_changed_password_is_told_to_the_tenants_of_the_account(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    with tenant_scope(tenant):
        add_member(email="ann@clinic.example", role=Role.VIEWER, by=SYSTEM)
    call_command("changepassword", "Ann@clinic.example", stdout=io.StringIO())
    assert User.objects.get().check_password(PASSWORD)
    assert events(tenant, "account.password_changed") == [("command", "ann@clinic.example", None)]
    assert events(other_tenant, "account.password_changed") == []


def test_a_platform_administrators_password_concerns_every_tenant(tenant: Tenant) -> None:
    User.objects.create_superuser("root@example.org", "another-Pass-9-long")
    call_command("changepassword", "root@example.org", stdout=io.StringIO())
    assert len(events(tenant, "account.password_changed")) == 1


@pytest.mark.parametrize(
    ("command", "password", "says"),
    [
        (["createsuperuser", "--email", "ann@clinic.example"], PASSWORD, "exists already"),
        (["createsuperuser", "--email", "nobody"], PASSWORD, "is not an e-mail address"),
        (["createsuperuser", "--email", "new@example.org"], "password", "too common"),
        (["changepassword", "ann@clinic.example"], "12345678", "too common"),
        (["changepassword", "nobody@example.org"], PASSWORD, "There is no account"),
    ],
)
def test_what_cannot_be_is_said_and_changes_nothing(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch, command: list[str], password: str, says: str
) -> None:
    with tenant_scope(tenant):
        add_member(email="ann@clinic.example", role=Role.VIEWER, by=SYSTEM)
    monkeypatch.setenv(VARIABLE, password)
    with pytest.raises(CommandError, match=says):
        call_command(*command, stdout=io.StringIO())
    assert not User.objects.get().has_usable_password()
    assert events(tenant, "platform_admin.created") == []


def test_where_nobody_can_type_the_variable_is_named(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    with pytest.raises(CommandError, match=VARIABLE):
        call_command("createsuperuser", email="new@example.org", stdout=io.StringIO())


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("second", [PASSWORD, "mistyped"])
def test_a_typed_password_must_be_typed_twice(monkeypatch: pytest.MonkeyPatch, second: str) -> None:
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setattr(sys, "stdin", Terminal())
    typed = {"Password: ": PASSWORD, "Password (again): ": second}
    if second == PASSWORD:
        assert asked_password(typed.__getitem__) == PASSWORD
    else:
        with pytest.raises(InvalidInput, match="differ"):
            asked_password(typed.__getitem__)


def test_the_shell_warns_that_it_leaves_no_trace(db: None) -> None:
    err = io.StringIO()
    call_command("shell", command="pass", stderr=err)
    assert "in no audit trail" in err.getvalue()
