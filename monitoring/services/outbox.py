"""Writing down what is to be told, in the transaction of the event: neither is there without the other."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.db import transaction
from django.utils import timezone

from mlplatform.tenancy.scope import current_tenant
from monitoring.models import Alert, Channel, Delivery
from monitoring.models.alert import GRAVITY, AlertMetric, Severity
from monitoring.models.delivery import EventKind
from monitoring.signals import deliveries_waiting

WANTED = {
    EventKind.RAISED: "on_raised",
    EventKind.WOKEN: "on_raised",
    EventKind.ESCALATED: "on_escalated",
    EventKind.RESOLVED: "on_resolved",
}
SAID = {
    EventKind.RAISED: "",
    EventKind.WOKEN: "Still there: ",
    EventKind.ESCALATED: "Nobody has acknowledged: ",
    EventKind.RESOLVED: "Resolved: ",
}
DRAWN = ("pictures", "history")


def announce(kind: EventKind, alerts: Sequence[Alert]) -> list[Delivery]:
    """Write one message for each channel that wants to hear of these alerts of one model, together.

    Call it in the transaction of the event; what is written is sent after commit. The same event written
    down twice is one message. Snoozed alerts are left out.
    """
    awake = [alert for alert in alerts if not alert.is_snoozed]
    made = []
    for channel in Channel.objects.filter(enabled=True, **{WANTED[kind]: True}) if awake else ():
        heard = [alert for alert in awake if hears_of(channel, alert)]
        if heard:
            made.append(_written(channel, kind, heard))
    if made:
        nudge()
    return made


def hears_of(channel: Channel, alert: Alert) -> bool:
    """Tell whether the channel takes alerts of this severity and model."""
    grave = GRAVITY[Severity(alert.severity)] >= GRAVITY[Severity(channel.least_severity)]
    return grave and (not channel.model_names or alert.model.name in channel.model_names)


def nudge() -> None:
    """Have what waits sent once the transaction has committed; lost on the way, a sweep finds it."""
    tenant_id = current_tenant().pk
    transaction.on_commit(lambda: deliveries_waiting.send(sender=Delivery, tenant_id=tenant_id), robust=True)


def envelope(channel: Channel, kind: EventKind, **more: Any) -> dict[str, Any]:
    """Return what every message holds; ``more`` is its own."""
    tenant = current_tenant()
    return {
        "event": str(kind),
        "at": timezone.now().isoformat(),
        "tenant": tenant.slug,
        "tenant_name": tenant.name,
        "channel": channel.name,
        "model": None,
        **more,
    }


def figures_of(alert: Alert) -> Mapping[str, Any]:
    """Return the alert's evidence without what only pictures need."""
    return {name: value for name, value in alert.evidence.items() if name not in DRAWN}


def _written(channel: Channel, kind: EventKind, alerts: Sequence[Alert]) -> Delivery:
    gravest = max(alerts, key=lambda alert: GRAVITY[Severity(alert.severity)])
    payload = envelope(
        channel,
        kind,
        model=gravest.model.name,
        severity=gravest.severity,
        subject=_subject(kind, alerts, gravest),
        alerts=[_told(alert) for alert in alerts],
    )
    delivery, _ = Delivery.objects.get_or_create(
        channel=channel,
        event=_event(kind, alerts),
        defaults={
            "kind": kind,
            "model_id": gravest.model_id,
            "alerts": [alert.pk for alert in alerts],
            "payload": payload,
            "next_try_at": timezone.now(),
        },
    )
    return delivery


def _event(kind: EventKind, alerts: Sequence[Alert]) -> str:
    """Return the event's name: an alert is raised, gets graver and is resolved once, but may wake often."""
    first = min(alerts, key=lambda alert: alert.pk)
    name = f"{kind}:{first.pk}"
    if kind == EventKind.WOKEN and first.snoozed_until is not None:
        return f"{name}:{first.snoozed_until.isoformat()}"
    return name


def _subject(kind: EventKind, alerts: Sequence[Alert], gravest: Alert) -> str:
    more = f" (and {len(alerts) - 1} more)" if len(alerts) > 1 else ""
    return f"{SAID[kind]}[{gravest.severity}] {gravest.title}{more}"


def _told(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.pk,
        "severity": alert.severity,
        "state": alert.state,
        "title": alert.title,
        "message": alert.message,
        "model": alert.model.name,
        "version": alert.version.number if alert.version else None,
        "metric": AlertMetric(alert.rule.metric).value if alert.rule else None,
        "cause": alert.cause or "rule",
        "raised_at": alert.created_at.isoformat(),
        "owner": alert.owner.email if alert.owner else None,
        "evidence": dict(figures_of(alert)),
    }
