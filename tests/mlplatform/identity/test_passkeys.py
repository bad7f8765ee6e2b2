"""Passkeys: added, used alone and as a second step, renamed, removed; and what is refused."""

import json
import re
from html import unescape
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.test import Client

from mlplatform.tenancy.models import Tenant, User
from tests.mlplatform.identity.authenticator import Passkey, same_challenge
from tests.mlplatform.identity.conftest import SECURITY, is_signed_in, make_stale, recorded, sign_in

ADD = f"{SECURITY}passkeys/new/"
ALONE = "/account/passkey/"
STEP = "/account/second-step/"


def options_on(page: Any, name: str) -> dict[str, Any]:
    """Return the question that the page asks the browser."""
    found = re.search(
        r'<script id="js_data" type="application/json">(.*?)</script>', page.content.decode(), re.DOTALL
    )
    assert found is not None
    asked: dict[str, Any] = json.loads(unescape(found[1]))[name]
    return asked


def add(client: Client, passkey: Passkey, name: str = "work laptop") -> Any:
    """Add the passkey by its page."""
    asked = options_on(client.get(ADD), "creation_options")
    sent = {"name": name, "credential": passkey.create(asked), "passwordless": "on"}
    return client.post(ADD, sent)


def use_alone(client: Client, passkey: Passkey) -> Any:
    """Sign in by the passkey and nothing else."""
    asked = client.get(ALONE, headers={"Accept": "application/json"}).json()["request_options"]
    return client.post(ALONE, {"credential": passkey.get(asked)})


@pytest.fixture
def passkey(ann_in: Client) -> Passkey:
    """Ann's passkey."""
    made = Passkey()
    assert add(ann_in, made)["Location"] == f"{SECURITY}codes/"
    return made


def test_a_passkey_signs_in_by_itself_with_no_second_step(
    ann: User, passkey: Passkey, tenant: Tenant
) -> None:
    client = Client()
    assert use_alone(client, passkey)["Location"] == "/admin/"
    assert client.get("/api/v1/whoami").json()["principal"] == ann.email
    assert len(recorded(tenant, "session.signed_in")) == 2


def test_a_passkey_is_a_second_step_after_the_password(passkey: Passkey) -> None:
    client = Client()
    assert sign_in(client)["Location"] == STEP
    page = client.get(STEP)
    assert "Use a passkey" in page.content.decode()
    asked = options_on(page, "request_options")
    assert client.post(STEP, {"credential": passkey.get(asked)})["Location"] == "/admin/"
    assert is_signed_in(client)


def test_a_passkey_confirms_a_stale_session(ann: User, ann_in: Client, passkey: Passkey) -> None:
    make_stale(ann_in)
    confirm = "/account/confirm/passkey/?next=/admin/tenancy/apikey/add/"
    asked = options_on(ann_in.get(confirm), "request_options")
    answer = ann_in.post(confirm, {"credential": passkey.get(asked)})
    assert answer["Location"] == "/admin/tenancy/apikey/add/"
    assert ann_in.get("/admin/tenancy/apikey/add/").status_code == 200


def test_adding_is_recorded_and_ends_the_other_sessions(ann: User, ann_in: Client, tenant: Tenant) -> None:
    other = Client()
    sign_in(other)
    add(ann_in, Passkey())
    assert is_signed_in(ann_in)
    assert not is_signed_in(other)
    (event,) = recorded(tenant, "account.second_factors_changed")
    assert (event.before["passkeys"], event.after["passkeys"]) == ([], ["work laptop"])


def test_a_passkey_is_listed_renamed_and_removed(ann_in: Client, passkey: Passkey, tenant: Tenant) -> None:
    page = f"{SECURITY}passkeys/{Authenticator.objects.get(type='webauthn').pk}/"
    assert "work laptop" in ann_in.get(SECURITY).content.decode()
    assert "Rename work laptop" in ann_in.get(page).content.decode()
    ann_in.post(page, {"name": "<b>phone</b>"})
    assert "&lt;b&gt;phone&lt;/b&gt;" in ann_in.get(SECURITY).content.decode()
    assert "no longer signs you in" in ann_in.get(f"{page}remove/").content.decode()
    ann_in.post(f"{page}remove/")
    assert not Authenticator.objects.exists()
    assert use_alone(Client(), passkey)["Location"] == "/account/login/"
    changes = [event.after["passkeys"] for event in recorded(tenant, "account.second_factors_changed")]
    assert changes == [["work laptop"], ["<b>phone</b>"], []]


def test_another_persons_passkey_is_missing(passkey: Passkey, db: None) -> None:
    User.objects.create_user("bob@example.com", "a-Long-pass-9")
    bob = Client()
    sign_in(bob, "bob@example.com")
    page = f"{SECURITY}passkeys/{Authenticator.objects.get(type='webauthn').pk}/remove/"
    assert bob.post(page).status_code == 404
    assert Authenticator.objects.filter(type="webauthn").exists()


@pytest.mark.parametrize(
    "origin", ["https://evil.example", "http://testserver", "https://testserver.evil.example"]
)
def test_a_passkey_used_on_another_site_is_refused(origin: str, passkey: Passkey) -> None:
    passkey.origin = origin
    client = Client()
    use_alone(client, passkey)
    assert not is_signed_in(client)


def test_a_passkey_of_another_site_cannot_be_added(ann_in: Client) -> None:
    assert add(ann_in, Passkey(origin="https://evil.example")).status_code == 200
    assert not Authenticator.objects.exists()


def test_a_signature_is_good_for_one_question(passkey: Passkey) -> None:
    client = Client()
    asked = client.get(ALONE, headers={"Accept": "application/json"}).json()["request_options"]
    again = client.get(ALONE, headers={"Accept": "application/json"}).json()["request_options"]
    assert not same_challenge(asked, again)
    client.post(ALONE, {"credential": passkey.get(asked)})
    assert not is_signed_in(client)


def test_somebody_elses_key_is_refused_under_the_persons_name(passkey: Passkey) -> None:
    forged = Passkey(identifier=passkey.identifier, user_handle=passkey.user_handle)
    client = Client()
    use_alone(client, forged)
    assert not is_signed_in(client)


def test_without_finger_face_or_pin_a_passkey_does_not_stand_for_the_password(passkey: Passkey) -> None:
    passkey.verifies = False
    client = Client()
    use_alone(client, passkey)
    assert not is_signed_in(client)


GARBAGE = [
    "",
    "x",
    "{}",
    "[]",
    "null",
    '{"response": {}}',
    '{"id": 1, "rawId": null}',
    '{"response": {"userHandle": "MQ"}}',
    '{"id": "AA", "rawId": "AA", "response": {"clientDataJSON": "e30", "attestationObject": "AAAA"}}',
    '{"id": "AA", "rawId": "AA", "response": {"clientDataJSON": "!", "authenticatorData": "AA"}}',
]


@pytest.mark.parametrize("page", [ALONE, STEP, ADD, "/account/confirm/passkey/"])
def test_garbage_is_refused_by_every_page(page: str, ann: User, ann_in: Client, passkey: Passkey) -> None:
    client = ann_in
    if page in {ALONE, STEP}:
        client = Client()
        sign_in(client)
    for sent in GARBAGE:
        client.get(page)  # the question that is answered with garbage
        assert client.post(page, {"credential": sent, "name": "x"}).status_code in {200, 302}, sent
        assert client is ann_in or not is_signed_in(client)
    assert Authenticator.objects.filter(type="webauthn").count() == 1
