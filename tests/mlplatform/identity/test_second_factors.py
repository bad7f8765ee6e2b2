"""Authenticator apps and recovery codes: set up, used, renewed, removed."""

import re
from urllib.parse import quote

import pytest
from allauth.mfa.models import Authenticator
from django.core.management import CommandError, call_command
from django.test import Client

from mlplatform.tenancy.models import Tenant, User
from tests.mlplatform.identity.conftest import (
    SECURITY,
    code_of,
    is_signed_in,
    make_stale,
    recorded,
    set_up_app,
    sign_in,
)

STEP = "/account/second-step/"


def recovery_codes(client: Client) -> list[str]:
    return re.findall(r"<li>(\d{8})</li>", client.get(f"{SECURITY}codes/").content.decode())


def test_a_sign_in_then_asks_for_the_code(ann: User, ann_in: Client) -> None:
    secret = set_up_app(ann_in)
    client = Client()
    assert sign_in(client)["Location"] == STEP
    assert not is_signed_in(client)
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert client.post(STEP, {"code": code_of(secret)})["Location"] == "/admin/"
    assert is_signed_in(client)


def test_the_step_is_closed_to_whoever_gave_no_password(ann: User, ann_in: Client) -> None:
    secret = set_up_app(ann_in)
    stranger = Client()
    assert stranger.post(STEP, {"code": code_of(secret)})["Location"] == "/account/login/"
    assert not is_signed_in(stranger)


def test_a_wrong_code_is_a_failed_sign_in(ann: User, ann_in: Client, tenant: Tenant) -> None:
    set_up_app(ann_in)
    client = Client()
    sign_in(client)
    assert "was not accepted" in client.post(STEP, {"code": "000000"}).content.decode()
    assert [event.object_label for event in recorded(tenant, "session.sign_in_failed")] == [ann.email]


def test_a_code_works_once(ann: User, ann_in: Client) -> None:
    code = code_of(set_up_app(ann_in))
    for client, expected in ((Client(), 302), (Client(), 200)):
        sign_in(client)
        assert client.post(STEP, {"code": code}).status_code == expected


@pytest.mark.parametrize("code", ["", "abc", "1" * 10_000, "\x00", "１２３４５６", "-00000"])
def test_odd_codes_are_refused(ann: User, ann_in: Client, code: str) -> None:
    set_up_app(ann_in)
    client = Client()
    sign_in(client)
    assert client.post(STEP, {"code": code}).status_code == 200
    assert not is_signed_in(client)


def test_the_secret_is_sealed_where_it_is_stored(ann_in: Client) -> None:
    secret = set_up_app(ann_in)
    stored = Authenticator.objects.get(type="totp").data["secret"]
    assert secret not in stored
    codes = Authenticator.objects.get(type="recovery_codes")
    assert codes.data["seed"] != codes.wrap().generate_codes()
    assert not re.fullmatch(r"[0-9a-f]{80}", codes.data["seed"])


def test_recovery_codes_are_shown_once_and_each_works_once(ann: User, ann_in: Client) -> None:
    set_up_app(ann_in)
    codes = recovery_codes(ann_in)
    assert len(codes) == 10
    assert recovery_codes(ann_in) == []
    for client, expected in ((Client(), True), (Client(), False)):
        sign_in(client)
        client.post(STEP, {"code": codes[3]})
        assert is_signed_in(client) is expected
    assert "9 unused" in ann_in.get(SECURITY).content.decode()


def test_new_recovery_codes_end_the_earlier_ones(ann: User, ann_in: Client, tenant: Tenant) -> None:
    set_up_app(ann_in)
    earlier = recovery_codes(ann_in)
    assert ann_in.post(f"{SECURITY}codes/new/")["Location"] == f"{SECURITY}codes/"
    newer = recovery_codes(ann_in)
    assert not set(earlier) & set(newer)
    client = Client()
    sign_in(client)
    assert client.post(STEP, {"code": earlier[0]}).status_code == 200
    assert len(recorded(tenant, "account.second_factors_changed")) == 2


def test_setting_up_is_recorded_without_the_secret_and_ends_the_other_sessions(
    ann: User, ann_in: Client, tenant: Tenant
) -> None:
    other = Client()
    sign_in(other)
    secret = set_up_app(ann_in)
    assert is_signed_in(ann_in)
    assert not is_signed_in(other)
    (event,) = recorded(tenant, "account.second_factors_changed")
    assert event.before["authenticator_app"] is None
    assert event.after["authenticator_app"]
    assert secret not in str((event.before, event.after, event.details))


def test_a_wrong_code_sets_nothing_up(ann: User, ann_in: Client, tenant: Tenant) -> None:
    ann_in.get(f"{SECURITY}app/")
    assert ann_in.post(f"{SECURITY}app/", {"code": "000000"}).status_code == 200
    assert not Authenticator.objects.exists()
    assert recorded(tenant, "account.second_factors_changed") == []


def test_removing_the_app_takes_the_recovery_codes_along(ann: User, ann_in: Client, tenant: Tenant) -> None:
    set_up_app(ann_in)
    assert "Remove the authenticator app?" in ann_in.get(f"{SECURITY}app/remove/").content.decode()
    assert ann_in.post(f"{SECURITY}app/remove/").status_code == 302
    assert not Authenticator.objects.exists()
    assert recorded(tenant, "account.second_factors_changed")[-1].after["authenticator_app"] is None
    client = Client()
    sign_in(client)
    assert is_signed_in(client)


@pytest.mark.parametrize("page", ["app/", "app/remove/", "codes/", "codes/new/", "passkeys/new/"])
def test_changing_second_factors_asks_a_stale_session_to_confirm(page: str, ann_in: Client) -> None:
    set_up_app(ann_in)
    make_stale(ann_in)
    following = quote(SECURITY + page, safe="")
    assert ann_in.get(SECURITY + page)["Location"] == f"/account/confirm/?next={following}"


@pytest.mark.parametrize("page", ["", "app/", "codes/", "passkeys/new/", "sessions/end/"])
def test_the_security_pages_are_for_people_who_are_signed_in(page: str, db: None) -> None:
    assert Client().post(SECURITY + page)["Location"].startswith("/account/login/")


def test_an_administrator_removes_the_factors_of_somebody_who_lost_them(
    ann: User, ann_in: Client, tenant: Tenant
) -> None:
    set_up_app(ann_in)
    owner = Client()
    owner.force_login(User.objects.create_superuser("owner@platform.example"))
    page = f"/admin/tenancy/user/{ann.pk}/"
    assert "authenticator app" in owner.get(f"{page}change/").content.decode()
    assert "Be sure that it is the owner" in owner.get(f"{page}remove-second-factors/").content.decode()
    owner.post(f"{page}remove-second-factors/")
    assert not Authenticator.objects.exists()
    assert not is_signed_in(ann_in)
    assert recorded(tenant, "account.second_factors_changed")[-1].actor_label == "owner@platform.example"


def test_the_command_removes_them_too_and_says_where_there_is_nothing(ann: User, ann_in: Client) -> None:
    set_up_app(ann_in)
    call_command("remove_second_factors", email="ANN@example.com")
    assert not Authenticator.objects.exists()
    with pytest.raises(CommandError, match="has no second factor"):
        call_command("remove_second_factors", email=ann.email)
    with pytest.raises(CommandError, match="no account"):
        call_command("remove_second_factors", email="nobody@example.com")
