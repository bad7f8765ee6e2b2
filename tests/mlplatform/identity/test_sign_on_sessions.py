"""Single sign-on and open sessions: connecting a provider, confirming by it, and ways that lead nowhere."""

from urllib.parse import parse_qs, urlsplit

import httpx
from allauth.socialaccount.models import SocialAccount
from django.test import Client
from pytest_django import Settings

from mlplatform.tenancy.models import Tenant, User
from tests.mlplatform.identity.conftest import (
    code_of,
    is_signed_in,
    make_stale,
    recorded,
    set_up_app,
)
from tests.mlplatform.identity.provider import EVE, Provider, path_of, roles, target_of


def test_whoever_is_signed_in_connects_and_disconnects_a_provider(
    rules: None, corp: Provider, ann: User, ann_in: Client, tenant: Tenant, other_tenant: Tenant
) -> None:
    person = corp.person(**EVE | {"groups": ["ml-admins"]})
    page = "/account/sign-on/"
    assert "Connect Corp" in ann_in.get(page).content.decode()
    assert corp.visit(ann_in, person, query="process=connect")["Location"] == page
    client = Client()
    corp.visit(client, person)
    assert client.get("/api/v1/whoami").json()["principal"] == ann.email
    assert roles(ann.email) == {"clinic": ("admin", ""), "winery": ("viewer", "corp")}
    ann_in.post(page, {"account": SocialAccount.objects.get().pk})
    assert roles(ann.email) == {"clinic": ("admin", "")}
    assert [recorded(tenant, f"account.sign_on_{what}") != [] for what in ("connected", "disconnected")] == [
        True
    ] * 2


def test_a_provider_person_belongs_to_one_account(rules: None, corp: Provider, ann_in: Client) -> None:
    eve = corp.person(**EVE)
    corp.visit(Client(), eve)
    page = ann_in.get(corp.visit(ann_in, eve, query="process=connect")["Location"]).content.decode()
    assert "belongs to another account here" in page
    assert SocialAccount.objects.get().user.email == "eve@corp.example"


def test_connecting_asks_a_stale_session_to_confirm(rules: None, corp: Provider, ann_in: Client) -> None:
    make_stale(ann_in)
    answer = corp.visit(ann_in, corp.person(**EVE), query="process=connect")
    assert answer["Location"].startswith("/account/confirm/")
    assert not SocialAccount.objects.exists()


def test_the_second_step_is_asked_for_after_the_provider(rules: None, corp: Provider) -> None:
    eve, client = corp.person(**EVE), Client()
    corp.visit(client, eve)
    secret = set_up_app(client)
    again = Client()
    assert corp.visit(again, eve)["Location"] == "/account/second-step/"
    assert not is_signed_in(again)
    again.post("/account/second-step/", {"code": code_of(secret)})
    assert is_signed_in(again)


def test_an_account_that_is_switched_off_stays_out(rules: None, corp: Provider) -> None:
    eve = corp.person(**EVE)
    corp.visit(Client(), eve)
    User.objects.update(is_active=False)
    client = Client()
    assert "switched off" in corp.visit(client, eve).content.decode()
    assert not is_signed_in(client)


CONFIRMING = "process=redirect&auth_params=prompt%3Dlogin%26max_age%3D0&next=/admin/password_change/"


def test_somebody_without_a_password_confirms_at_the_provider_and_comes_back(
    rules: None, corp: Provider
) -> None:
    eve, client = corp.person(**EVE), Client()
    corp.visit(client, eve)
    make_stale(client)
    asked = client.get("/admin/password_change/", follow=True)
    assert asked.redirect_chain[-1][0] == "/account/confirm/sign-on/?next=%2Fadmin%2Fpassword_change%2F"
    page = asked.content.decode()
    assert "Confirm with Corp" in page
    assert "prompt%3Dlogin" in page
    assert corp.visit(client, eve, query=CONFIRMING)["Location"] == "/admin/password_change/"
    assert client.get("/admin/password_change/").status_code == 200


def test_the_provider_is_told_to_ask_again(rules: None, corp: Provider) -> None:
    eve, client = corp.person(**EVE), Client()
    corp.visit(client, eve)
    target = target_of(client.post(f"/account/sign-on/with/corp/?{CONFIRMING}"))
    assert "prompt=login" in target
    assert "max_age=0" in target
    assert "code_challenge=" in target


def test_what_was_sent_goes_on_after_the_provider(rules: None, corp: Provider, tenant: Tenant) -> None:
    eve, client = corp.person(**EVE | {"groups": ["ml-admins"]}), Client()
    corp.visit(client, eve)
    client.post("/admin/switch-tenant/", {"tenant": tenant.pk})
    make_stale(client)
    address = "/admin/tenancy/apikey/add/"
    assert client.post(address, {"name": "lab", "scopes": ["read"]}).status_code == 302
    query = CONFIRMING.replace("/admin/password_change/", address)
    assert "is ready" in corp.visit(client, eve, query=query).content.decode()


def test_somebody_else_at_the_provider_confirms_nothing(rules: None, corp: Provider) -> None:
    eve, client = corp.person(**EVE), Client()
    corp.visit(client, eve)
    make_stale(client)
    mallory = corp.person(**EVE | {"email": "mallory@corp.example"})
    corp.visit(Client(), mallory)
    refused = corp.visit(client, mallory, query=CONFIRMING)
    assert "somebody else" in refused.content.decode()
    assert client.get("/admin/password_change/").status_code == 302


def test_a_provider_that_did_not_ask_again_confirms_nothing(
    rules: None, corp: Provider, settings: Settings
) -> None:
    eve, client = corp.person(**EVE), Client()
    corp.visit(client, eve)
    make_stale(client)
    settings.REAUTHENTICATION_SECONDS = -1  # whatever time the provider tells is too long ago
    assert "did not ask again" in corp.visit(client, eve, query=CONFIRMING).content.decode()
    settings.REAUTHENTICATION_SECONDS = 60
    assert client.get("/admin/password_change/").status_code == 302


def test_a_sign_in_that_is_cancelled_or_forged_goes_nowhere(rules: None, corp: Provider) -> None:
    eve, client = corp.person(**EVE), Client()
    back = "/account/sign-on/with/corp/back/"
    target = target_of(client.post("/account/sign-on/with/corp/?process=login"))
    state = parse_qs(urlsplit(target).query)["state"][0]
    cancelled = client.get(back, {"error": "access_denied", "state": state})
    assert cancelled["Location"] == "/account/sign-on/cancelled/"
    assert "Sign-in cancelled" in client.get("/account/sign-on/cancelled/").content.decode()
    for query in ("", "?code=x", "?code=x&state=y", "?error=access_denied", "?state=y"):
        assert client.get(back + query).status_code == 403, query
    target = target_of(client.post("/account/sign-on/with/corp/?process=login"))
    answer = httpx.post(target, data={"sub": eve})
    stranger = Client()
    assert stranger.get(path_of(answer.headers["Location"])).status_code == 403
    assert not is_signed_in(stranger)


def test_a_sign_in_begins_with_a_form_alone(corp: Provider) -> None:
    assert Client().get("/account/sign-on/with/corp/")["Location"] == "/account/login/"
    strict = Client(enforce_csrf_checks=True)
    assert strict.post("/account/sign-on/with/corp/").status_code == 403


def test_an_unknown_provider_is_missing(corp: Provider) -> None:
    assert Client().post("/account/sign-on/with/other/").status_code == 404


def test_a_provider_out_of_reach_is_told_of_by_a_page(
    process: Provider, settings: Settings, db: None
) -> None:
    settings.SOCIALACCOUNT_PROVIDERS = process.settings(issuer="http://127.0.0.1:9")
    answer = Client().post("/account/sign-on/with/corp/")
    assert answer.status_code == 403
    assert "did not answer as it should" in answer.content.decode()


def test_the_way_back_leads_nowhere_else(rules: None, corp: Provider) -> None:
    query = "process=login&next=https://evil.example/"
    assert corp.visit(Client(), corp.person(**EVE), query=query)["Location"] == "/admin/"
