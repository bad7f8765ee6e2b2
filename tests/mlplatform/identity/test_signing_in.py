"""Signing in with a password: the pages, the answers, the session."""

import pytest
from django.test import Client

from mlplatform.tenancy.models import Tenant, User
from tests.mlplatform.identity.conftest import LOGIN, PASSWORD, SECURITY, is_signed_in, recorded, sign_in


def test_the_consoles_own_address_leads_to_the_sign_in_page(db: None) -> None:
    answer = Client().get("/admin/registry/dataset/", follow=True)
    assert answer.redirect_chain[-1][0] == f"{LOGIN}?next=/admin/registry/dataset/"
    assert "Sign in with a passkey" in answer.content.decode()


def test_signing_in_leads_back_to_where_one_was_going(ann: User) -> None:
    answer = Client().post(
        f"{LOGIN}?next=/admin/registry/dataset/", {"login": ann.email, "password": PASSWORD}
    )
    assert answer["Location"] == "/admin/registry/dataset/"


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "javascript:alert(1)"])
def test_signing_in_leads_nowhere_else_40(ann: User, elsewhere: str) -> None:
    answer = Client().post(f"{LOGIN}?next={elsewhere}", {"login": ann.email, "password": PASSWORD})
    assert answer["Location"] == "/admin/"


def test_the_session_gets_a_new_key_at_sign_in(ann: User) -> None:
    client = Client()
    session = client.session
    session["before"] = True
    session.save()
    before = session.session_key
    sign_in(client)
    assert client.session.session_key not in {None, before}


def test_an_unknown_account_a_wrong_password_and_one_switched_off_are_answered_alike_39(ann: User) -> None:
    User.objects.create_user("off@example.com", PASSWORD, is_active=False)
    User.objects.create_user("invited@example.com")
    pages = set()
    for email, password in (
        ("ann@example.com", "wrong"),
        ("nobody@example.com", "wrong"),
        ("off@example.com", PASSWORD),
        ("invited@example.com", "wrong"),
    ):
        answer = sign_in(Client(), email, password)
        text = answer.content.decode().replace(email, "?")
        pages.add((answer.status_code, text.partition('role="alert"')[2].partition("</div>")[0]))
    assert len(pages) == 1
    assert "The e-mail address or the password is wrong" in pages.pop()[1]


@pytest.mark.parametrize(
    "typed", ["", "x\x00y@example.com", "a" * 5000, "not an address", "<script>@x.example"]
)
def test_odd_addresses_are_refused_in_the_form(ann: User, typed: str) -> None:
    answer = sign_in(Client(), typed)
    assert answer.status_code == 200
    assert "<script>@x" not in answer.content.decode()


@pytest.mark.parametrize(
    "page",
    [
        "signup/",
        "password/reset/",
        "email/",
        "logout/",
        "password/change/",
        "login/code/",
        "3rdparty/signup/",
    ],
)
def test_pages_of_the_library_that_nobody_needs_do_not_exist(page: str, ann_in: Client) -> None:
    assert ann_in.get(f"/account/{page}").status_code == 404
    assert Client().post(f"/account/{page}", {"email": "new@example.com"}).status_code == 404


def test_the_sign_in_page_is_never_cached_and_asks_for_a_csrf_token(ann: User) -> None:
    assert "no-store" in Client().get(LOGIN)["Cache-Control"]
    assert sign_in(Client(enforce_csrf_checks=True)).status_code == 403


def test_whoever_accepts_json_still_gets_the_page(db: None) -> None:
    answer = Client().get(LOGIN, headers={"Accept": "application/json"})
    assert answer["Content-Type"].startswith("text/html")


def test_a_new_password_ends_the_other_sessions(ann: User, ann_in: Client) -> None:
    other = Client()
    sign_in(other)
    new = "an-0ther-Long-pass"
    fields = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert ann_in.post("/admin/password_change/", fields).status_code == 302
    assert is_signed_in(ann_in)
    assert not is_signed_in(other)


def test_signing_out_everywhere_ends_the_other_sessions_alone(
    ann: User, ann_in: Client, tenant: Tenant
) -> None:
    other = Client()
    sign_in(other)
    assert ann_in.get(f"{SECURITY}sessions/end/").status_code == 405
    page = ann_in.post(f"{SECURITY}sessions/end/", follow=True).content.decode()
    assert "signed out everywhere else" in page
    assert is_signed_in(ann_in)
    assert not is_signed_in(other)
    assert [event.actor_label for event in recorded(tenant, "account.sessions_ended")] == [ann.email]


def test_an_account_that_is_switched_off_loses_its_session(ann: User, ann_in: Client) -> None:
    User.objects.filter(pk=ann.pk).update(is_active=False)
    assert not is_signed_in(ann_in)


def test_guesses_at_many_accounts_are_slowed_down(db: None) -> None:
    answers = [sign_in(Client(), f"person{number}@example.com").status_code for number in range(32)]
    assert answers[:30] == [200] * 30
    assert answers[-1] == 429
