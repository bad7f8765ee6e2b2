"""Locking out whoever guesses, and nobody else (hostile inputs, line 39)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.db import connection
from django.test import Client, RequestFactory
from django.utils import timezone
from pytest_django import Settings

from mlplatform.identity.lockout import counted_address, forget_failures, locked_addresses
from mlplatform.tenancy.models import Tenant, User
from mlplatform.tenancy.request_context import client_address
from tests.mlplatform.identity.conftest import (
    code_of,
    is_signed_in,
    make_stale,
    recorded,
    set_up_app,
    sign_in,
)

LIMIT = 3
ELSEWHERE = {"REMOTE_ADDR": "203.0.113.7"}


@pytest.fixture(autouse=True)
def _three_guesses(settings: Settings) -> None:
    settings.AXES_FAILURE_LIMIT = LIMIT
    settings.ACCOUNT_RATE_LIMITS = {"login": None, "login_failed": None, "reauthenticate": None}


def fail(times: int = LIMIT, email: str = "ann@example.com", **extra: str) -> list[str]:
    """Send wrong passwords; return what the pages said."""
    pages = [sign_in(Client(), email, "wrong", **extra).content.decode() for _ in range(times)]
    return [page.partition('role="alert"')[2].partition("</div>")[0] for page in pages]


def test_39_after_too_many_wrong_passwords_the_right_one_is_refused_with_the_same_words(
    ann: User, tenant: Tenant
) -> None:
    said = fail(LIMIT + 2)
    client = Client()
    said.append(sign_in(client).content.decode().partition('role="alert"')[2].partition("</div>")[0])
    assert len(set(said)) == 1
    assert not is_signed_in(client)
    assert len(recorded(tenant, "session.locked_out")) == 1
    assert locked_addresses(ann) == ["127.0.0.1"]


def test_one_guess_less_locks_nobody(ann: User) -> None:
    fail(LIMIT - 1)
    client = Client()
    sign_in(client)
    assert is_signed_in(client)


def test_a_success_starts_the_count_anew(ann: User) -> None:
    for _ in range(3):
        fail(LIMIT - 1)
        sign_in(Client())
    assert locked_addresses(ann) == []


def test_the_owner_gets_in_from_another_address(ann: User) -> None:
    fail()
    client = Client()
    sign_in(client, **ELSEWHERE)
    assert is_signed_in(client)


def test_letter_case_and_browser_are_no_way_round(ann: User) -> None:
    for number, email in enumerate(("ANN@example.com", "ann@EXAMPLE.com", "Ann@Example.Com")):
        fail(1, email, HTTP_USER_AGENT=f"browser {number}")
    client = Client()
    sign_in(client)
    assert not is_signed_in(client)


def test_a_lock_ends_by_itself_and_further_guesses_do_not_prolong_it(ann: User, settings: Settings) -> None:
    fail()
    before = AccessAttempt.objects.get().attempt_time
    fail(2)
    assert AccessAttempt.objects.get().attempt_time == before
    AccessAttempt.objects.update(
        attempt_time=timezone.now() - settings.AXES_COOLOFF_TIME - timedelta(seconds=1)
    )
    client = Client()
    sign_in(client)
    assert is_signed_in(client)


def test_what_was_typed_is_not_stored(ann: User) -> None:
    sign_in(Client(), "secret-word@example.com", "hunter2-typed")
    stored = str(list(AccessAttempt.objects.values()))
    assert "hunter2" not in stored
    assert "secret-word" not in stored


@pytest.mark.parametrize("forged", ["198.51.100.9", "198.51.100.9, 127.0.0.1", "garbage", "1.2.3.4" * 300])
def test_a_forged_header_neither_evades_nor_frames(ann: User, forged: str) -> None:
    for number in range(LIMIT):
        fail(1, HTTP_X_FORWARDED_FOR=f"{number}, {forged}")
    assert locked_addresses(ann) == ["127.0.0.1"]
    client = Client()
    sign_in(client, HTTP_X_FORWARDED_FOR="8.8.8.8")
    assert not is_signed_in(client)


def test_behind_two_proxies_the_address_that_the_outer_one_saw_counts(ann: User, settings: Settings) -> None:
    settings.TRUSTED_PROXIES = 2
    for number in range(LIMIT):
        fail(1, HTTP_X_FORWARDED_FOR=f"10.0.0.{number}, 203.0.113.7, 10.9.9.9")
    assert locked_addresses(ann) == ["203.0.113.7"]


@pytest.mark.parametrize(
    ("header", "peer", "address"),
    [
        ("203.0.113.7", "10.0.0.1", "203.0.113.7"),
        ("1.1.1.1, 203.0.113.7", "10.0.0.1", "203.0.113.7"),
        ("not an address", "10.0.0.1", "10.0.0.1"),
        ("", "10.0.0.1", "10.0.0.1"),
        ("::ffff:203.0.113.7", "10.0.0.1", "203.0.113.7"),
        ("fe80::1%eth0", "10.0.0.1", "fe80::1"),
        ("", "", None),
    ],
)
def test_the_address_behind_one_proxy(
    header: str, peer: str, address: str | None, settings: Settings
) -> None:
    settings.TRUSTED_PROXIES = 1
    request = RequestFactory().get("/", HTTP_X_FORWARDED_FOR=header, REMOTE_ADDR=peer)
    assert client_address(request) == address


def test_addresses_of_one_ipv6_network_count_as_one() -> None:
    request = RequestFactory().get("/", REMOTE_ADDR="2001:db8:1:2:aaaa::1")
    assert counted_address(request) == "2001:db8:1:2::"


def test_wrong_codes_of_the_second_step_lock_too(ann: User, ann_in: Client, tenant: Tenant) -> None:
    secret = set_up_app(ann_in)
    client = Client()
    sign_in(client)
    for _ in range(LIMIT):
        client.post("/account/second-step/", {"code": "000000"})
    answer = client.post("/account/second-step/", {"code": code_of(secret)})
    assert "was not accepted" in answer.content.decode()
    assert not is_signed_in(client)
    assert recorded(tenant, "session.locked_out")


def test_wrong_passwords_in_an_open_session_lock_too(ann: User, ann_in: Client) -> None:
    make_stale(ann_in)
    for _ in range(LIMIT):
        ann_in.post("/account/confirm/", {"password": "wrong"})
    answer = ann_in.post("/account/confirm/", {"password": "a-Long-pass-9"})
    assert "The password is wrong" in answer.content.decode()
    assert ann_in.get("/admin/tenancy/apikey/add/").status_code == 302


def test_forgetting_lets_the_owner_in_again(ann: User) -> None:
    fail()
    assert forget_failures(ann) == 1
    client = Client()
    sign_in(client)
    assert is_signed_in(client)


@pytest.mark.django_db(transaction=True)
def test_guesses_side_by_side_are_all_counted(tenant: Tenant, ann: User) -> None:
    def guess(number: int) -> None:
        try:
            sign_in(Client(), password="wrong")
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(guess, range(LIMIT)))
    assert AccessAttempt.objects.get().failures_since_start == LIMIT
