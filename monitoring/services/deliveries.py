"""Sending what the outbox holds: at least once, again after longer and longer pauses, then given up visibly.

A sender claims the row for a while, so that of two at once one sends. One that dies after it sent and before
it said so is followed by another that sends again, under the same key: receivers leave out what they have.
"""

from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, Q
from django.utils import timezone

from mlplatform.errors import PlatformError
from mlplatform.outbound.errors import AddressRefused
from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.sealed_texts import open_column
from monitoring.channels.base import Message, SendingFailed
from monitoring.channels.kinds import KINDS
from monitoring.errors import DeliveryNotFound, DeliveryUnderWay
from monitoring.models import Channel, Delivery
from monitoring.models.channel import ChannelKind
from monitoring.models.delivery import DeliveryState, EventKind
from monitoring.services.outbox import envelope, nudge
from registry.models import RegisteredModel
from registry.services.letters import members_who_may

FIRST_PAUSE = timedelta(seconds=30)
MOST_ATTEMPTS = 10  # the last about four hours after the first
CLAIMED_FOR = timedelta(minutes=5)
AT_ONCE = 200
SENT_KEPT, DEAD_KEPT = timedelta(days=30), timedelta(days=90)


def due_deliveries(now: datetime | None = None) -> list[int]:
    """Return the keys of messages whose time has come, the oldest first."""
    with tenant_transaction():
        rows = Delivery.objects.filter(state=DeliveryState.WAITING, next_try_at__lte=now or timezone.now())
        return list(rows.order_by("pk").values_list("pk", flat=True)[:AT_ONCE])


def deliver(*, pk: int) -> Delivery | None:
    """Try to send the message; None where it is not due, or somebody else is at it.

    Afterwards it is SENT, DEAD, or WAITING with its next time. Call it outside of transactions.
    """
    claimed = _claimed(pk)
    if claimed is None or claimed.state != DeliveryState.WAITING:
        return claimed
    return _attempted(claimed)


def try_channel(*, channel: Channel, by: Actor) -> Delivery:
    """Send a test through the channel at once, and say by the delivery how it went; it is not tried again."""
    now = timezone.now()
    subject = f"Test of {channel.name}"
    with tenant_transaction():
        delivery = Delivery(channel=channel, kind=EventKind.TEST, attempts=MOST_ATTEMPTS)
        delivery.event, delivery.next_try_at = f"test:{delivery.key}", now + CLAIMED_FOR
        lines = [f"{by} tries whether messages arrive. They do."]
        delivery.payload = envelope(channel, EventKind.TEST, subject=subject, alerts=[], lines=lines)
        delivery.save()
        record(by=by, action="channel.tried", target=channel, delivery=str(delivery.key))
    return _attempted(delivery)


def resend(*, delivery: Delivery, by: Actor) -> Delivery:
    """Send it again from now on, under the same key; raises DeliveryUnderWay while it waits anyway."""
    with tenant_transaction():
        again = Delivery.objects.filter(pk=delivery.pk).exclude(state=DeliveryState.WAITING)
        everybody: dict[str, Any] = {"reached": []} if delivery.state == DeliveryState.SENT else {}
        changed = again.update(
            state=DeliveryState.WAITING, attempts=0, next_try_at=timezone.now(), sent_at=None, **everybody
        )
        if not changed:
            raise DeliveryUnderWay("It waits to be sent already.")
        before = {"state": delivery.state}
        delivery.refresh_from_db()
        after = {"state": delivery.state}
        record(by=by, action="delivery.sent_again", target=delivery, before=before, after=after)
        nudge()
    return delivery


def find_delivery(pk: int) -> Delivery:
    """Return the tenant's delivery; raises DeliveryNotFound."""
    found = Delivery.objects.select_related("channel", "model").filter(pk=pk).first()
    if found is None:
        raise DeliveryNotFound(f"There is no delivery {pk}.")
    return found


def forget_old_deliveries(now: datetime | None = None) -> int:
    """Delete what was sent a month ago, and what was given up three months ago; return how many."""
    now = now or timezone.now()
    with tenant_transaction():
        old = Delivery.objects.filter(
            Q(state=DeliveryState.SENT, sent_at__lt=now - SENT_KEPT)
            | Q(state=DeliveryState.DEAD, created_at__lt=now - DEAD_KEPT)
        )
        count, _ = old.delete()
        if count:
            record(by=SYSTEM, action="deliveries.forgotten", target=Delivery, deliveries=count)
    return count


def pause_after(attempts: int) -> timedelta:
    """Return how long to wait after so many attempts have failed: 30 s, 1 min, 2 min, 4 min ..."""
    return FIRST_PAUSE * int(2 ** max(attempts - 1, 0))


def _claimed(pk: int) -> Delivery | None:
    now = timezone.now()
    with tenant_transaction():
        due = Delivery.objects.filter(pk=pk, state=DeliveryState.WAITING, next_try_at__lte=now)
        if not due.update(attempts=F("attempts") + 1, next_try_at=now + CLAIMED_FOR):
            return None
        delivery = find_delivery(pk)
    if delivery.attempts > MOST_ATTEMPTS:  # each of them ended without saying how
        return _ended(delivery, DeliveryState.DEAD, "Whoever sent it was stopped each time.")
    if not delivery.channel.enabled:
        return _ended(delivery, DeliveryState.DEAD, "The channel is switched off.")
    return delivery


def _attempted(delivery: Delivery) -> Delivery:
    kind = KINDS[delivery.channel.kind]
    try:
        with tenant_transaction():
            message = _message(delivery)
        everybody_has_it = bool(delivery.reached) and not message.recipients
        if not everybody_has_it:
            kind.send(message)
    except SendingFailed as error:
        delivery.reached = [*delivery.reached, *error.reached]
        last = error.final or delivery.attempts >= MOST_ATTEMPTS
        return _ended(delivery, DeliveryState.DEAD if last else DeliveryState.WAITING, error.words)
    except PlatformError as error:  # the address leads inside now, or the secret cannot be opened
        if isinstance(error, AddressRefused):
            details = {"reason": error.detail}
            record_attempt(by=SYSTEM, action="channel.refused", target=delivery.channel, details=details)
        return _ended(delivery, DeliveryState.DEAD, error.detail)
    delivery.reached = [*delivery.reached, *message.recipients]
    return _ended(delivery, DeliveryState.SENT, "")


def _message(delivery: Delivery) -> Message:
    channel = delivery.channel
    return Message(
        key=str(delivery.key),
        payload=delivery.payload,
        settings=channel.settings,
        secret=open_column(channel, "credential"),
        recipients=_recipients(delivery) if channel.kind == ChannelKind.EMAIL else (),
    )


def _recipients(delivery: Delivery) -> list[str]:
    """Return who has not got the letter yet: the channel's addresses, or the members who look after it."""
    wanted = delivery.channel.settings.get("addresses")
    if not wanted:
        people = members_who_may(Capability.MONITOR, delivery)
        named = delivery.payload.get("models", [])
        models = list(RegisteredModel.objects.filter(name__in=named)) if named else []
        wanted = [one.email for one in people if all(can(one, Capability.MONITOR, of) for of in models)]
    return [address for address in wanted if address not in delivery.reached]


def _ended(delivery: Delivery, state: DeliveryState, words: str) -> Delivery:
    """Note how the attempt went; a failed one has its next time."""
    now = timezone.now()
    delivery.state, delivery.last_error = state, words[:500]
    delivery.sent_at = now if state == DeliveryState.SENT else None
    waits = state == DeliveryState.WAITING
    delivery.next_try_at = now + pause_after(delivery.attempts) if waits else None
    with tenant_transaction():
        delivery.save(update_fields=["state", "last_error", "sent_at", "next_try_at", "reached"])
    return delivery
