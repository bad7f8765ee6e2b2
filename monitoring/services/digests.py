"""Summaries of a tenant's alerts, by day or by week, for the channels that want one."""

from collections import Counter
from datetime import datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone

from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from monitoring.models import Alert, Channel, Delivery
from monitoring.models.alert import GRAVITY, UNRESOLVED, Severity
from monitoring.models.channel import Digest
from monitoring.models.delivery import EventKind
from monitoring.services.outbox import envelope, nudge

MOST_LISTED = 30
SPANS = {Digest.DAILY: timedelta(days=1), Digest.WEEKLY: timedelta(days=7)}
SPAN_WORDS = {Digest.DAILY: "the last day", Digest.WEEKLY: "the last week"}


def write_digests(*, now: datetime | None = None) -> list[Delivery]:
    """Write down each channel's summary of the stretch that ended last, once; return those that are new.

    A day ends at the channel's hour (UTC), a week on Monday at that hour. Where the platform was off at that
    time, the summary is written later; of several that were missed, the newest.
    """
    now, made = now or timezone.now(), []
    with tenant_transaction():
        for channel in Channel.objects.filter(enabled=True).exclude(digest=Digest.NONE):
            delivery, created = _written(channel, _end_of(channel, now), now)
            made.extend([delivery] if created else [])
        if made:
            nudge()
    return made


def _end_of(channel: Channel, now: datetime) -> datetime:
    end = now.replace(hour=channel.digest_hour, minute=0, second=0, microsecond=0)
    end = end if end <= now else end - timedelta(days=1)
    return end - timedelta(days=end.weekday()) if channel.digest == Digest.WEEKLY else end


def _written(channel: Channel, end: datetime, now: datetime) -> tuple[Delivery, bool]:
    event = f"digest:{channel.digest}:{end:%Y-%m-%d}"
    known = Delivery.objects.filter(channel=channel, event=event).first()
    if known is not None:
        return known, False
    payload = _payload(channel, end - SPANS[Digest(channel.digest)], end)
    return Delivery.objects.get_or_create(
        channel=channel,
        event=event,
        defaults={"kind": EventKind.DIGEST, "payload": payload, "next_try_at": now},
    )


def _payload(channel: Channel, since: datetime, until: datetime) -> dict[str, Any]:
    heard = _heard(channel)
    raised = heard.filter(created_at__gte=since, created_at__lt=until)
    resolved = heard.filter(resolved_at__gte=since, resolved_at__lt=until).count()
    standing = heard.filter(state__in=UNRESOLVED)
    counts = Counter(raised.values_list("severity", flat=True))
    new, still = sum(counts.values()), standing.count()
    listed = sorted(standing, key=lambda one: (-GRAVITY[Severity(one.severity)], one.created_at))[
        :MOST_LISTED
    ]
    span = SPAN_WORDS[Digest(channel.digest)]
    by_severity = ", ".join(f"{counts[one]} {one}" for one in reversed(list(GRAVITY)) if counts[one])
    lines = [
        f"In {span} ({since:%Y-%m-%d %H:%M} to {until:%Y-%m-%d %H:%M} UTC): {new} raised"
        + (f" ({by_severity})" if by_severity else "")
        + f", {resolved} resolved. {still} stand open now.",
        *(_line(alert) for alert in listed),
        *([f"And {still - len(listed)} more."] if still > len(listed) else []),
    ]
    figures = {"raised": new, "resolved": resolved, "open": still, "by_severity": dict(counts)}
    return envelope(
        channel,
        EventKind.DIGEST,
        subject=f"Alerts of {current_tenant().name}: {new} new, {still} open",
        lines=lines,
        figures=figures,
        models=sorted({alert.model.name for alert in listed}),
        **{"from": since.isoformat(), "to": until.isoformat()},
    )


def _heard(channel: Channel) -> "QuerySet[Alert]":
    least = GRAVITY[Severity(channel.least_severity)]
    grave = [severity for severity, place in GRAVITY.items() if place >= least]
    alerts = Alert.objects.filter(severity__in=grave).select_related("model", "owner__user").order_by()
    return alerts.filter(model__name__in=channel.model_names) if channel.model_names else alerts


def _line(alert: Alert) -> str:
    owner = f", looked after by {alert.owner.email}" if alert.owner else ""
    asleep = f", snoozed until {alert.snoozed_until:%Y-%m-%d %H:%M} UTC" if alert.is_snoozed else ""
    state = alert.get_state_display().lower()
    return f"[{alert.severity}] {alert.title} ({state} since {alert.created_at:%Y-%m-%d}{owner}{asleep})"
