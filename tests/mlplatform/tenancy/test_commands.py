"""Tenants and keys from the command line."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.authentication import InvalidApiKey, authenticate_key
from mlplatform.tenancy.models import AuditEvent, Membership, Role, Tenant, User
from tests.factories import make_model
from tests.plugins.application_role import whole_database


def run(*arguments: str) -> Any:
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_tenant_with_its_first_admin(db: None) -> None:
    made = run("create_tenant", "--tenant", "acme", "--name", "Acme", "--admin", "ann@acme.example")
    user = User.objects.get(email="ann@acme.example")
    assert user.check_password(made["password"])
    with whole_database():
        assert Membership.all_tenants.get(user=user).role == Role.ADMIN
        actions = AuditEvent.all_tenants.filter(actor_kind="command").order_by("sequence")
        expected = ["tenant.created", "member.added", "account.password_set"]
        assert list(actions.values_list("action", flat=True)) == expected
        [run_id] = set(actions.values_list("request_id", flat=True))
        assert len(run_id) == 32


def test_person_with_a_password_keeps_it(tenant: Tenant) -> None:
    User.objects.create_user("ann@acme.example", "a-Long-pass-9")
    made = run("create_tenant", "--tenant", "acme", "--admin", "ann@acme.example")
    assert "password" not in made
    assert User.objects.get(email="ann@acme.example").check_password("a-Long-pass-9")


def test_tenants_are_listed(tenant: Tenant, other_tenant: Tenant) -> None:
    assert [row["slug"] for row in run("create_tenant", "--list")] == ["winery", "clinic"]


def test_list_reads_as_a_table(tenant: Tenant) -> None:
    out = io.StringIO()
    call_command("create_tenant", "--list", stdout=out)
    assert "North Clinic" in out.getvalue()


@pytest.mark.parametrize(
    ("slug", "says"), [("Not A Slug", "cannot be created"), ("clinic", "exists already"), ("", "cannot be")]
)
def test_unusable_short_name_is_refused(tenant: Tenant, slug: str, says: str) -> None:
    with pytest.raises(CommandError, match=says):
        run("create_tenant", "--tenant", slug)
    assert Tenant.objects.count() == 1


def test_key_works(tenant: Tenant) -> None:
    made = run("create_api_key", "--tenant", "clinic", "--name", "lab", "--scopes", "read", "--days", "3")
    assert authenticate_key(made["key"]).scopes == ["read"]
    assert made["expires_at"] is not None


def test_key_for_an_unknown_tenant_is_refused(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="There is no tenant 'nobody'"):
        run("create_api_key", "--tenant", "nobody", "--name", "lab", "--scopes", "read")


def test_key_that_has_expired_before_it_begins_is_refused(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="lies in the past"):
        run("create_api_key", "--tenant", "clinic", "--name", "lab", "--scopes", "read", "--days", "-1")


def test_command_needs_a_tenant(db: None) -> None:
    with pytest.raises(CommandError, match="--tenant"):
        call_command("create_api_key", "--name", "lab", "--scopes", "read")


def test_key_with_models_and_an_expiry(in_tenant: Tenant) -> None:
    make_model("churn")
    made = run(
        "create_api_key", "--tenant", in_tenant.slug, "--name", "lab", "--scopes", "read",
        "--models", "churn", "--expires", "2099-01-31T12:00",
    )  # fmt: skip
    assert made["models"] == ["churn"]
    assert made["expires_at"] == "2099-01-31T12:00:00Z"


def test_key_of_an_unknown_model_is_refused(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="no such models: nothing"):
        run("create_api_key", "--tenant", "clinic", "--name", "x", "--scopes", "read", "--models", "nothing")


def test_key_is_rotated_by_what_it_begins_with(tenant: Tenant) -> None:
    old = run("create_api_key", "--tenant", "clinic", "--name", "lab", "--scopes", "read")["key"]
    new = run("rotate_api_key", "--tenant", "clinic", "--prefix", old[:12], "--overlap-hours", "0")
    assert new["models"] == "all"
    assert authenticate_key(new["key"]).name == "lab"
    with pytest.raises(InvalidApiKey):
        authenticate_key(old)


def test_rotating_a_key_that_is_not_there_is_refused(tenant: Tenant) -> None:
    with pytest.raises(CommandError, match="No key of this tenant"):
        run("rotate_api_key", "--tenant", "clinic", "--prefix", "mlp_nothing0")
