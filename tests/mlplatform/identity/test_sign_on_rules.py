"""The console's page of sign-on rules: for platform administrators."""

from collections.abc import Mapping

import pytest
from django.test import Client
from pytest_django import Settings

from mlplatform.identity.models import ClaimMapping
from mlplatform.identity.services.mappings import add_mapping
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant, User
from tests.conftest import ConsoleFor
from tests.mlplatform.identity.conftest import make_stale, recorded
from tests.mlplatform.identity.provider import Provider

RULES = "/admin/identity/claimmapping/"


@pytest.fixture(autouse=True)
def _corp(settings: Settings) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = Provider("https://id.corp.example").settings()


@pytest.fixture
def owner(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("owner@platform.example"))
    return client


def rule_for(tenant: Tenant, changes: Mapping[str, object] | None = None) -> dict[str, object]:
    rule = {"provider": "corp", "claim": "groups", "value": "ml", "tenant": tenant.pk, "role": "viewer"}
    return {**rule, **(changes or {})}


def test_an_administrator_adds_and_removes_a_rule(owner: Client, tenant: Tenant) -> None:
    assert "No sign-on rule yet" in owner.get(RULES).content.decode()
    assert "Whoever signs in with the claim" in owner.get(f"{RULES}add/").content.decode()
    owner.post(f"{RULES}add/", rule_for(tenant))
    rule = ClaimMapping.objects.get()
    page = owner.get(f"{RULES}{rule.pk}/change/").content.decode()
    assert "North Clinic" in page
    assert "Corp" in page
    assert "ml" in owner.get(RULES).content.decode()
    owner.post(f"{RULES}{rule.pk}/remove/")
    assert not ClaimMapping.objects.exists()
    assert [event.actor_label for event in recorded(tenant, "sign_on_rule.added")] == [
        "owner@platform.example"
    ]
    assert recorded(tenant, "sign_on_rule.removed")[0].before["claim"] == "groups"


@pytest.mark.parametrize(
    "changes",
    [
        {"provider": "other"},
        {"role": "superuser"},
        {"tenant": 999_999},
        {"claim": ""},
        {"value": " "},
        {"claim": "x" * 101},
    ],
)
def test_a_wrong_rule_is_refused_in_the_form(
    changes: dict[str, object], owner: Client, tenant: Tenant
) -> None:
    page = owner.post(f"{RULES}add/", rule_for(tenant, changes))
    assert page.status_code == 200
    assert "c-error" in page.content.decode()
    assert not ClaimMapping.objects.exists()


def test_the_same_rule_twice_is_refused(owner: Client, tenant: Tenant) -> None:
    for _ in range(2):
        page = owner.post(f"{RULES}add/", rule_for(tenant))
    assert "There is a rule for this claim and tenant already" in page.content.decode()
    assert ClaimMapping.objects.count() == 1


def test_a_tenants_admin_sees_and_makes_none(tenant: Tenant, console_for: ConsoleFor) -> None:
    rule = add_mapping(provider="corp", claim="g", value="v", tenant=tenant, role="viewer", by=SYSTEM)
    client = console_for(tenant)
    for address in (RULES, f"{RULES}add/", f"{RULES}{rule.pk}/change/", f"{RULES}{rule.pk}/remove/"):
        assert client.get(address).status_code == 403, address
        assert client.post(address, rule_for(tenant, {"role": "admin"})).status_code == 403, address
    assert "Sign-on rules" not in client.get("/admin/").content.decode()
    assert ClaimMapping.objects.count() == 1


def test_rules_ask_a_stale_session_to_confirm(owner: Client, tenant: Tenant) -> None:
    rule = add_mapping(provider="corp", claim="g", value="v", tenant=tenant, role="viewer", by=SYSTEM)
    owner.session["x"] = 1
    make_stale(owner)
    for address in (f"{RULES}add/", f"{RULES}{rule.pk}/remove/"):
        assert owner.get(address).status_code == 302, address
