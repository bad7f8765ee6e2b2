"""What time does to alerts: those that nobody acknowledges get graver, those that slept wake up."""

from datetime import datetime, timedelta

from django.db.models import Q
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.models import Alert
from monitoring.models.alert import UNRESOLVED, AlertState, Severity
from monitoring.models.delivery import EventKind
from monitoring.services.outbox import announce

GRAVER = {
    Severity.INFO: Severity.WARNING,
    Severity.WARNING: Severity.CRITICAL,
    Severity.CRITICAL: Severity.CRITICAL,
}


def escalate_overdue(*, now: datetime | None = None, by: Actor = SYSTEM) -> list[Alert]:
    """Make each alert graver, once, that nobody acknowledged in its rule's time; channels hear of it.

    The time counts from when it was raised. A snoozed alert waits until its sleep is over.
    """
    now = now or timezone.now()
    awake = Q(snoozed_until=None) | Q(snoozed_until__lte=now)
    waiting = Alert.objects.filter(awake, state=AlertState.OPEN, escalated_at=None)
    found = []
    with tenant_transaction():
        patient = waiting.filter(rule__escalate_after_minutes__gt=0)
        for alert in patient.select_related("rule", "model", "version", "owner__user"):
            patience = timedelta(minutes=alert.rule.escalate_after_minutes if alert.rule else 0)
            if now - alert.created_at >= patience and _escalate(alert, now, by):
                found.append(alert)
    return found


def wake_rested(*, now: datetime | None = None, by: Actor = SYSTEM) -> list[Alert]:
    """Wake the unresolved alerts whose sleep is over, and tell of them again."""
    now = now or timezone.now()
    with tenant_transaction():
        rested = Alert.objects.filter(state__in=UNRESOLVED, snoozed_until__lte=now)
        found = list(rested.select_related("rule", "model", "version", "owner__user"))
        for alert in found:
            before = {"snoozed_until": alert.snoozed_until}
            announce(EventKind.WOKEN, [alert])
            Alert.objects.filter(pk=alert.pk).update(snoozed_until=None, snoozed_by="", snooze_reason="")
            record(by=by, action="alert.woken", target=alert, before=before, after={"snoozed_until": None})
    return found


def _escalate(alert: Alert, now: datetime, by: Actor) -> bool:
    before = {"severity": alert.severity, "escalated_at": None}
    graver = GRAVER[Severity(alert.severity)]
    after = {"severity": graver, "escalated_at": now}
    mine = Alert.objects.filter(pk=alert.pk, state=AlertState.OPEN, escalated_at=None)
    if not mine.update(**after):
        return False
    alert.severity, alert.escalated_at = graver, now
    record(by=by, action="alert.escalated", target=alert, before=before, after=after)
    announce(EventKind.ESCALATED, [alert])
    return True
