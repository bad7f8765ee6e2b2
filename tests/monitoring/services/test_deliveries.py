"""Messages: written with the event, sent at least once, tried again, given up visibly, sent again by hand."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from mlplatform.tenancy.services.sealed_texts import open_column, reseal_columns
from mlplatform.tenancy.services.tenants import add_member
from monitoring.channels.signing import verify
from monitoring.errors import DeliveryUnderWay
from monitoring.models import Alert, AlertRule, Channel, Delivery
from monitoring.models.delivery import DeliveryState, EventKind
from monitoring.services.channels import create_channel, update_channel
from monitoring.services.deliveries import (
    MOST_ATTEMPTS,
    deliver,
    due_deliveries,
    forget_old_deliveries,
    pause_after,
    resend,
    try_channel,
)
from monitoring.services.outbox import announce
from monitoring.signals import deliveries_waiting
from registry.models import RegisteredModel
from tests.web import Asked, Said, WebServer, web_server

KEY = "a-key-of-16-letters"


@pytest.fixture(autouse=True)
def _this_machine_is_open(settings: Settings) -> None:
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]


@pytest.fixture
def receiver() -> Iterator[WebServer]:
    """A program that takes every message."""
    with web_server(lambda _: Said(204)) as server:
        yield server


def webhook(url: str, **plain: Any) -> Channel:
    return create_channel(name="Pager", kind="webhook", settings={"url": url}, secret=KEY, by=SYSTEM, **plain)


def alert_of(model: RegisteredModel, severity: str = "warning", **fields: Any) -> Alert:
    words = {"title": "Inputs have drifted", "message": "3 of 10 features."}
    return Alert.objects.create(
        model=model,
        severity=severity,
        last_seen_at=timezone.now(),
        evidence={"share": 0.3},
        **words,
        **fields,
    )


def told(asked: Asked) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(asked.body)
    return found


def is_due(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(next_try_at=timezone.now())


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


def test_alerts_of_one_check_are_one_message(model: RegisteredModel, receiver: WebServer) -> None:
    webhook(receiver.url)
    first, second = alert_of(model), alert_of(model, "critical")
    (delivery,) = announce(EventKind.RAISED, [first, second])
    assert delivery.alerts == [first.pk, second.pk]
    assert delivery.payload["severity"] == "critical"
    assert "(and 1 more)" in delivery.payload["subject"]
    assert announce(EventKind.RAISED, [first, second]) == [delivery]
    assert Delivery.objects.count() == 1


@pytest.mark.parametrize(
    ("plain", "heard"),
    [
        ({}, True),
        ({"least_severity": "critical"}, False),
        ({"model_names": ["cancer"]}, True),
        ({"on_raised": False}, False),
        ({"enabled": False}, False),
    ],
)
def test_a_channel_hears_of_what_it_was_made_for(
    model: RegisteredModel, plain: dict[str, Any], heard: bool
) -> None:
    webhook("http://127.0.0.1:9099/", **plain)
    assert bool(announce(EventKind.RAISED, [alert_of(model)])) is heard


def test_a_channel_of_another_model_and_a_snoozed_alert_stay_quiet(model: RegisteredModel) -> None:
    channel = webhook("http://127.0.0.1:9099/")
    Channel.objects.filter(pk=channel.pk).update(model_names=["another"])
    assert announce(EventKind.RAISED, [alert_of(model)]) == []
    Channel.objects.filter(pk=channel.pk).update(model_names=[])
    asleep = alert_of(model, snoozed_until=timezone.now() + timedelta(hours=1))
    assert announce(EventKind.RAISED, [asleep]) == []


def test_what_is_written_is_sent_after_commit(
    model: RegisteredModel, django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks
) -> None:
    heard: list[int] = []

    def hear(sender: Any, *, tenant_id: int, **kwargs: Any) -> None:
        heard.append(tenant_id)

    deliveries_waiting.connect(hear)
    try:
        webhook("http://127.0.0.1:9099/")
        with django_capture_on_commit_callbacks(execute=True):
            (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
            assert heard == []
    finally:
        deliveries_waiting.disconnect(hear)
    assert heard == [model.tenant_id]
    assert due_deliveries() == [delivery.pk]


def test_a_receiver_that_is_down_is_tried_again_after_longer_and_longer_pauses(
    model: RegisteredModel, receiver: WebServer
) -> None:
    receiver.answer = lambda _: Said(503, {}, b"be right back")
    webhook(receiver.url)
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    done = deliver(pk=delivery.pk)
    assert done is not None
    assert (done.state, done.attempts) == (DeliveryState.WAITING, 1)
    assert done.last_error == "The receiver answered 503: be right back"
    assert done.next_try_at is not None
    assert done.next_try_at > timezone.now() + timedelta(seconds=20)
    assert deliver(pk=delivery.pk) is None  # not yet
    receiver.answer = lambda _: Said(200)
    is_due(delivery)
    done = deliver(pk=delivery.pk)
    assert done is not None
    assert (done.state, done.last_error) == (DeliveryState.SENT, "")
    first, second = receiver.asked
    assert told(first)["id"] == told(second)["id"]
    assert [pause_after(n).total_seconds() for n in (1, 2, 5)] == [30, 60, 480]


def test_after_the_last_attempt_it_is_given_up_and_can_be_sent_again(
    model: RegisteredModel, receiver: WebServer
) -> None:
    receiver.answer = lambda _: Said(500)
    webhook(receiver.url)
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    Delivery.objects.update(attempts=MOST_ATTEMPTS - 1)
    dead = deliver(pk=delivery.pk)
    assert dead is not None
    assert (dead.state, dead.next_try_at) == (DeliveryState.DEAD, None)
    receiver.answer = lambda _: Said(200)
    waiting = resend(delivery=dead, by=SYSTEM)
    with pytest.raises(DeliveryUnderWay):
        resend(delivery=waiting, by=SYSTEM)
    again = deliver(pk=delivery.pk)
    assert again is not None
    assert again.state == DeliveryState.SENT
    assert len({told(asked)["id"] for asked in receiver.asked}) == 1
    assert AuditEvent.objects.filter(action="delivery.sent_again").count() == 1


def test_a_sender_that_dies_is_followed_by_another_and_never_for_ever(model: RegisteredModel) -> None:
    webhook("http://127.0.0.1:9099/")
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    # As a process leaves it that was killed while it sent.
    claimed = {"attempts": MOST_ATTEMPTS, "next_try_at": timezone.now() + timedelta(minutes=5)}
    Delivery.objects.update(**claimed)
    assert deliver(pk=delivery.pk) is None
    is_due(delivery)
    dead = deliver(pk=delivery.pk)
    assert dead is not None
    assert (dead.state, dead.attempts) == (DeliveryState.DEAD, MOST_ATTEMPTS + 1)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        (Said(410), "answered 410"),
        (Said(301, {"Location": "http://127.0.0.1:9/"}), "redirects"),
    ],
)
def test_gone_is_final_and_no_redirect_is_followed(
    model: RegisteredModel, receiver: WebServer, said: Said, words: str
) -> None:
    receiver.answer = lambda _: said
    webhook(receiver.url)
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    done = deliver(pk=delivery.pk)
    assert done is not None
    assert words in done.last_error
    assert done.state == (DeliveryState.DEAD if said.status == 410 else DeliveryState.WAITING)
    assert len(receiver.asked) == 1


def test_an_address_that_leads_inside_now_is_given_up_and_recorded(
    model: RegisteredModel, receiver: WebServer, settings: Settings
) -> None:
    webhook(receiver.url)
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    settings.OUTBOUND_HOSTS = []
    done = deliver(pk=delivery.pk)
    assert done is not None
    assert done.state == DeliveryState.DEAD
    assert receiver.asked == []
    assert AuditEvent.objects.filter(action="channel.refused").exists()


def test_a_channel_that_was_switched_off_sends_nothing_more(
    model: RegisteredModel, receiver: WebServer
) -> None:
    channel = webhook(receiver.url)
    (delivery,) = announce(EventKind.RAISED, [alert_of(model)])
    update_channel(channel=channel, changes={"enabled": False}, by=SYSTEM)
    done = deliver(pk=delivery.pk)
    assert done is not None
    assert (done.state, receiver.asked) == (DeliveryState.DEAD, [])


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


def test_old_messages_are_forgotten(model: RegisteredModel) -> None:
    webhook("http://127.0.0.1:9099/")
    announce(EventKind.RAISED, [alert_of(model)])
    announce(EventKind.RAISED, [alert_of(model)])
    sent = Delivery.objects.latest("pk")
    long_ago = timezone.now() - timedelta(days=31)
    Delivery.objects.filter(pk=sent.pk).update(state=DeliveryState.SENT, sent_at=long_ago)
    assert forget_old_deliveries() == 1
    assert AlertRule.objects.count() == 0
    assert Delivery.objects.get().state == DeliveryState.WAITING


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
