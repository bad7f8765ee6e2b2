"""What arrives at a webhook, in a chat and in a letter box, and by whose key it is signed."""

import base64
import hashlib
import hmac
import time

import pytest
from django.core import mail

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from mlplatform.tenancy.services.sealed_texts import open_column, reseal_columns
from mlplatform.tenancy.services.tenants import add_member
from monitoring.channels.signing import verify
from monitoring.models import Alert, Delivery
from monitoring.models.delivery import DeliveryState, EventKind
from monitoring.services.channels import create_channel
from monitoring.services.deliveries import (
    deliver,
    try_channel,
)
from monitoring.services.outbox import announce
from registry.models import RegisteredModel
from tests.monitoring.deliveries import KEY, alert_of, told, webhook
from tests.web import Said, WebServer


def test_a_webhook_is_a_signed_cloud_event(model: RegisteredModel, receiver: WebServer) -> None:
    webhook(f"{receiver.url}/hook")
    alert = alert_of(model)
    (delivery,) = announce(EventKind.RAISED, [alert])
    done = deliver(pk=delivery.pk)
    assert done is not None
    assert done.state == DeliveryState.SENT
    (asked,) = receiver.asked
    event = told(asked)
    assert (event["specversion"], event["id"]) == ("1.0", str(delivery.key))
    assert (event["type"], event["subject"]) == ("mlplatform.alert.raised", "models/cancer")
    assert event["source"] == "/tenants/clinic"
    assert event["data"]["alerts"][0]["evidence"] == {"share": 0.3}
    assert asked.headers["content-type"].startswith("application/cloudevents+json")
    stamp = asked.headers["webhook-timestamp"]
    signed = f"{delivery.key}.{stamp}.".encode() + asked.body
    by_hand = base64.b64encode(hmac.new(KEY.encode(), signed, hashlib.sha256).digest()).decode()
    assert asked.headers["webhook-signature"] == f"v1,{by_hand}"
    assert verify(KEY, asked.headers, asked.body, now=time.time())


def test_a_chat_gets_words_in_which_no_name_can_call_or_link(
    model: RegisteredModel, receiver: WebServer
) -> None:
    create_channel(name="Chat", kind="slack", secret=f"{receiver.url}/T1/B2", by=SYSTEM)
    alert = alert_of(model, "critical")
    Alert.objects.filter(pk=alert.pk).update(title="<!channel> & <https://evil.example|here>")
    alert.refresh_from_db()
    (delivery,) = announce(EventKind.RAISED, [alert])
    deliver(pk=delivery.pk)
    (asked,) = receiver.asked
    text = told(asked)["text"]
    assert asked.path == "/T1/B2"
    assert "&lt;!channel&gt; &amp; &lt;https" in text
    assert "<" not in text
    assert text.startswith(":red_circle: *[critical]")


def test_letters_go_to_the_named_or_to_those_who_look_after_the_model(model: RegisteredModel) -> None:
    add_member(email="ann@clinic.example", role="operator", by=SYSTEM)
    add_member(email="vic@clinic.example", role="viewer", by=SYSTEM)
    create_channel(name="Watchers", kind="email", by=SYSTEM)
    named = {"addresses": ["pager@clinic.example", "desk@clinic.example"]}
    create_channel(name="Named", kind="email", settings=named, by=SYSTEM)
    alert = alert_of(model)
    Alert.objects.filter(pk=alert.pk).update(title="Drift\r\nBcc: evil@example.com")
    alert.refresh_from_db()
    for delivery in announce(EventKind.RAISED, [alert]):
        deliver(pk=delivery.pk)
    assert sorted(letter.to for letter in mail.outbox) == [
        ["ann@clinic.example"],
        ["desk@clinic.example"],
        ["pager@clinic.example"],
    ]
    assert mail.outbox[0].subject == "[warning] Drift Bcc: evil@example.com"
    assert "3 of 10 features" in mail.outbox[0].body


def test_who_has_the_letter_already_does_not_get_it_twice(model: RegisteredModel) -> None:
    named = {"addresses": ["one@clinic.example", "two@clinic.example"]}
    create_channel(name="Named", kind="email", settings=named, by=SYSTEM)
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    Delivery.objects.update(reached=["one@clinic.example"])
    deliver(pk=delivery.pk)
    assert [letter.to for letter in mail.outbox] == [["two@clinic.example"]]


def test_a_letter_to_nobody_says_so(model: RegisteredModel) -> None:
    create_channel(name="Watchers", kind="email", by=SYSTEM)
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    done = deliver(pk=delivery.pk)
    assert done is not None
    assert "Nobody is there" in done.last_error


def test_a_test_is_sent_at_once_and_says_how_it_went(model: RegisteredModel, receiver: WebServer) -> None:
    channel = webhook(receiver.url)
    assert try_channel(channel=channel, by=SYSTEM).state == DeliveryState.SENT
    assert told(receiver.asked[0])["type"] == "mlplatform.alert.test"
    receiver.answer = lambda _: Said(403, {}, b"no")
    failed = try_channel(channel=channel, by=SYSTEM)
    assert (failed.state, failed.last_error) == (DeliveryState.DEAD, "The receiver answered 403: no")
    assert AuditEvent.objects.filter(action="channel.tried").count() == 2


def test_the_secret_is_sealed_and_part_of_the_rotation(model: RegisteredModel, receiver: WebServer) -> None:
    channel = webhook(receiver.url)
    before = channel.credential
    assert KEY not in before
    assert reseal_columns(by=SYSTEM).credentials == 1
    channel.refresh_from_db()
    assert channel.credential != before
    assert open_column(channel, "credential") == KEY
    assert try_channel(channel=channel, by=SYSTEM).state == DeliveryState.SENT


@pytest.mark.parametrize("change", ["old", "body", "key"])
def test_42_a_receiver_refuses_what_is_old_changed_or_signed_by_another(
    model: RegisteredModel, receiver: WebServer, change: str
) -> None:
    try_channel(channel=webhook(receiver.url), by=SYSTEM)
    (asked,) = receiver.asked
    later = time.time() + (301 if change == "old" else 0)
    body = asked.body.replace(b"clinic", b"winery") if change == "body" else asked.body
    key = KEY[::-1] if change == "key" else KEY
    assert not verify(key, asked.headers, body, now=later)
