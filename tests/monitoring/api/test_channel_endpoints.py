"""Channels and deliveries over REST."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from monitoring.models import Channel, Delivery
from tests.conftest import ApiFor
from tests.web import Said, WebServer, web_server

API = "/api/v1"
KEY = "a-key-of-16-letters"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key with every right."""
    return api_for(tenant)


@pytest.fixture
def receiver(settings: Settings) -> Iterator[WebServer]:
    """A program that takes no message."""
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    with web_server(lambda _: Said(500, {}, b"full")) as server:
        yield server


def test_a_channel_is_made_tried_changed_and_deleted(client: APIClient, receiver: WebServer) -> None:
    body = {"name": "Pager", "kind": "webhook", "settings": {"url": receiver.url}, "secret": KEY}
    made = client.post(f"{API}/channels", body)
    assert made.status_code == 201, made.content
    assert (made.json()["has_secret"], made.json()["leads_to"]) == (True, receiver.url)
    url = f"{API}/channels/{made.json()['id']}"
    tried = client.post(f"{url}/test").json()
    assert (tried["state"], tried["last_error"]) == ("dead", "The receiver answered 500: full")
    receiver.answer = lambda _: Said(200)
    assert client.post(f"{url}/test").json()["state"] == "sent"
    assert client.patch(url, {"enabled": False, "digest": "weekly"}).json()["digest"] == "weekly"
    assert client.post(f"{API}/channels", body).status_code == 409
    assert KEY not in client.get(f"{API}/channels").content.decode()
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404


def test_what_was_given_up_is_listed_and_sent_again(client: APIClient, receiver: WebServer) -> None:
    body = {"name": "Chat", "kind": "slack", "secret": f"{receiver.url}/T1"}
    channel = client.post(f"{API}/channels", body).json()["id"]
    client.post(f"{API}/channels/{channel}/test")
    (dead,) = client.get(f"{API}/deliveries?state=dead&channel=Chat").json()["results"]
    shown = client.get(f"{API}/deliveries/{dead['id']}").json()
    assert shown["payload"]["event"] == "test"
    assert "/T1" not in str(shown)
    url = f"{API}/deliveries/{dead['id']}/resend"
    assert client.post(url).json()["state"] == "waiting"
    assert client.post(url).status_code == 409


@pytest.mark.parametrize(
    ("change", "status", "field"),
    [
        ({"secret": "short"}, 422, "secret"),
        ({"settings": {"url": "http://10.0.0.1/"}}, 422, None),
        ({"kind": "pigeon"}, 400, "kind"),
        ({"tenant": 1}, 400, "tenant"),
        ({"models": ["nobody"]}, 422, "model_names"),
        ({"digest_hour": 24}, 400, "digest_hour"),
    ],
)
def test_what_cannot_work_is_refused(
    client: APIClient, change: dict[str, object], status: int, field: str | None
) -> None:
    body = {"name": "P", "kind": "webhook", "settings": {"url": "https://pager.example.com/"}, "secret": KEY}
    answer = client.post(f"{API}/channels", body | change)
    assert answer.status_code == status
    assert field is None or field in answer.content.decode()
    assert not Channel.all_tenants.exists()


def test_who_is_no_administrator_sees_none_of_it(tenant: Tenant, api_for: ApiFor) -> None:
    reader = api_for(tenant, "read", "deploy")
    assert reader.get(f"{API}/channels").status_code == 403
    assert reader.get(f"{API}/deliveries").status_code == 403
    assert not Delivery.all_tenants.exists()
