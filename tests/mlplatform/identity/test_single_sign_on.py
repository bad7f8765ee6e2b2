"""Single sign-on against a real OpenID provider: who gets in, as what, and whose account it is."""

from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.test import Client

from mlplatform.identity.services.mappings import add_mapping, remove_mapping
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Membership, Tenant, User
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import add_member, change_role
from tests.mlplatform.identity.conftest import (
    PASSWORD,
    is_signed_in,
    recorded,
    set_up_app,
    sign_in,
)
from tests.mlplatform.identity.provider import EVE, Provider, roles


def test_a_newcomer_gets_an_account_and_the_roles_of_the_claims(
    rules: None, corp: Provider, tenant: Tenant
) -> None:
    client = Client()
    assert "Sign in with Corp" in client.get("/account/login/").content.decode()
    assert corp.visit(client, corp.person(**EVE))["Location"] == "/admin/"
    assert client.get("/api/v1/whoami").json()["tenant"] == "clinic"
    eve = User.objects.get(email="eve@corp.example")
    assert (eve.name, eve.is_superuser, eve.has_usable_password()) == ("Eve", False, False)
    assert roles() == {"clinic": ("analyst", "corp")}
    assert [event.actor_label for event in recorded(tenant, "member.added")] == ["single sign-on corp"]
    assert recorded(tenant, "account.created")
    assert recorded(tenant, "session.signed_in")


def test_memberships_follow_the_claims_at_every_sign_in(rules: None, corp: Provider, tenant: Tenant) -> None:
    eve = corp.person(**EVE)
    corp.visit(Client(), eve)
    with tenant_scope(tenant):
        add_member(email="other@clinic.example", role="admin", by=SYSTEM)
    corp.say(eve, **EVE | {"groups": ["ml-admins", "ml-analysts"]})
    corp.visit(Client(), eve)
    assert roles() == {"clinic": ("admin", "corp"), "winery": ("viewer", "corp")}
    corp.say(eve, **EVE)
    corp.visit(Client(), eve)
    assert roles() == {"clinic": ("analyst", "corp")}
    assert recorded(tenant, "member.role_changed")


def test_without_its_claims_a_person_is_refused_and_out_at_once(
    rules: None, corp: Provider, tenant: Tenant
) -> None:
    eve, before = corp.person(**EVE), Client()
    corp.visit(before, eve)
    corp.say(eve, **EVE | {"groups": []})
    client = Client()
    refused = corp.visit(client, eve)
    assert refused.status_code == 403
    assert "nothing here is open to you yet" in refused.content.decode()
    assert not is_signed_in(client)
    assert before.get("/api/v1/models").status_code == 403
    assert roles() == {}
    assert recorded(tenant, "member.removed")


def test_what_a_person_gave_stays(rules: None, corp: Provider, tenant: Tenant, other_tenant: Tenant) -> None:
    eve = corp.person(**EVE)
    corp.visit(Client(), eve)
    with tenant_scope(other_tenant), tenant_transaction():
        add_member(email="eve@corp.example", role="operator", by=SYSTEM)
    with tenant_scope(tenant), tenant_transaction():
        change_role(membership=Membership.objects.get(), role="approver", by=SYSTEM)
    corp.say(eve, **EVE | {"groups": []})
    client = Client()
    corp.visit(client, eve)
    assert is_signed_in(client)
    assert roles() == {"clinic": ("approver", ""), "winery": ("operator", "")}


def test_the_last_admin_stays_and_it_is_recorded(rules: None, corp: Provider, tenant: Tenant) -> None:
    eve = corp.person(**EVE | {"groups": ["ml-admins"]})
    corp.visit(Client(), eve)
    for groups in (["ml-analysts"], []):
        corp.say(eve, **EVE | {"groups": groups})
        corp.visit(Client(), eve)
        assert roles()["clinic"] == ("admin", "corp")
    assert len(recorded(tenant, "member.kept")) == 2


def test_a_rule_that_is_removed_counts_at_the_next_sign_in(tenant: Tenant, corp: Provider) -> None:
    rule = add_mapping(provider="corp", claim="groups", value="all", tenant=tenant, role="viewer", by=SYSTEM)
    eve = corp.person(**EVE)
    corp.visit(Client(), eve)
    remove_mapping(rule=rule, by=SYSTEM)
    assert corp.visit(Client(), eve).status_code == 403
    assert roles() == {}


@pytest.mark.parametrize(
    "claims",
    [
        EVE | {"groups": ["others"]},
        EVE | {"groups": None},
        {name: value for name, value in EVE.items() if name != "groups"},
        EVE | {"email_verified": False},
        EVE | {"email_verified": "true"},
        {name: value for name, value in EVE.items() if name != "email"},
        EVE | {"email": "ann@example.com"},
        EVE | {"is_superuser": True, "groups": ["superuser", "admin", "is_superuser"]},
    ],
)
def test_a_newcomer_without_a_rule_or_an_address_of_their_own_is_refused_with_one_page(
    claims: dict[str, Any], rules: None, corp: Provider, ann: User
) -> None:
    before, client = User.objects.count(), Client()
    refused = corp.visit(client, corp.person(**claims))
    assert refused.status_code == 403
    assert "nothing here is open to you yet" in refused.content.decode()
    assert User.objects.count() == before
    assert not SocialAccount.objects.exists()
    assert not is_signed_in(client)


def test_an_account_is_not_taken_over_by_its_address(rules: None, corp: Provider, ann: User) -> None:
    client = Client()
    assert corp.visit(client, corp.person(**EVE | {"email": ann.email})).status_code == 403
    assert not is_signed_in(client)
    again = Client()
    sign_in(again)
    assert is_signed_in(again)


@pytest.mark.parametrize("verified", [False, "true", "false", 1, None])
def test_a_trusted_provider_must_say_that_the_address_is_verified(
    verified: object, rules: None, trusted: Provider, ann: User
) -> None:
    client = Client()
    trusted.visit(client, trusted.person(**EVE | {"email": ann.email, "email_verified": verified}))
    assert not is_signed_in(client)
    assert not SocialAccount.objects.exists()


def test_a_trusted_provider_opens_the_account_of_a_verified_address_to_its_owner_alone(
    rules: None, trusted: Provider, ann: User, ann_in: Client, tenant: Tenant
) -> None:
    set_up_app(ann_in)  # by whoever was invited, who may not own the address
    client = Client()
    trusted.visit(client, trusted.person(**EVE | {"email": ann.email.upper()}))
    assert client.get("/api/v1/whoami").json()["principal"] == ann.email
    assert not is_signed_in(ann_in)
    assert not Authenticator.objects.exists()
    sign_in(before := Client())
    assert not is_signed_in(before)
    assert roles(ann.email) == {"clinic": ("admin", "")}
    assert recorded(tenant, "account.handed_over")
    assert recorded(tenant, "account.sign_on_connected")


def test_a_trusted_provider_need_not_say_so_for_a_newcomer(rules: None, trusted: Provider) -> None:
    client = Client()
    trusted.visit(client, trusted.person(email="Fay@corp.example", groups=["ml-analysts"]))
    assert is_signed_in(client)
    assert roles("fay@corp.example") == {"clinic": ("analyst", "corp")}


def test_a_platform_administrators_account_is_never_opened_by_an_address(
    rules: None, trusted: Provider
) -> None:
    User.objects.create_superuser("owner@platform.example", PASSWORD)
    client = Client()
    refused = trusted.visit(client, trusted.person(**EVE | {"email": "owner@platform.example"}))
    assert refused.status_code == 403
    assert not is_signed_in(client)
