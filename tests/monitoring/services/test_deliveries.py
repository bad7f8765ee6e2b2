"""Messages: written with the event, sent at least once, tried again, given up visibly, sent again by hand."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from monitoring.errors import DeliveryUnderWay
from monitoring.models import AlertRule, Channel, Delivery
from monitoring.models.delivery import DeliveryState, EventKind
from monitoring.services.channels import update_channel
from monitoring.services.deliveries import (
    MOST_ATTEMPTS,
    deliver,
    due_deliveries,
    forget_old_deliveries,
    pause_after,
    resend,
)
from monitoring.services.outbox import announce
from monitoring.signals import deliveries_waiting
from registry.models import RegisteredModel
from tests.monitoring.deliveries import alert_of, told, webhook
from tests.web import Said, WebServer


def is_due(delivery: Delivery) -> None:
    Delivery.objects.filter(pk=delivery.pk).update(next_try_at=timezone.now())


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
    webhook("https://pager.example.com/", **plain)
    assert bool(announce(EventKind.RAISED, [alert_of(model)])) is heard


def test_a_channel_of_another_model_and_a_snoozed_alert_stay_quiet(model: RegisteredModel) -> None:
    channel = webhook("https://pager.example.com/")
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
        webhook("https://pager.example.com/")
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
    webhook("https://pager.example.com/")
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


def test_old_messages_are_forgotten(model: RegisteredModel) -> None:
    webhook("https://pager.example.com/")
    announce(EventKind.RAISED, [alert_of(model)])
    announce(EventKind.RAISED, [alert_of(model)])
    sent = Delivery.objects.latest("pk")
    long_ago = timezone.now() - timedelta(days=31)
    Delivery.objects.filter(pk=sent.pk).update(state=DeliveryState.SENT, sent_at=long_ago)
    assert forget_old_deliveries() == 1
    assert AlertRule.objects.count() == 0
    assert Delivery.objects.get().state == DeliveryState.WAITING
