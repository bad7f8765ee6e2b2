"""What time does to alerts: they get graver, wake up, and are summed up by day and week."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.core import mail
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.services.tenants import add_member
from monitoring.models import Alert, AlertRule, Channel, Delivery
from monitoring.models.delivery import EventKind
from monitoring.services.alert_care import snooze
from monitoring.services.alerts import acknowledge, resolve
from monitoring.services.channels import create_channel
from monitoring.services.deliveries import deliver
from monitoring.services.digests import write_digests
from monitoring.services.escalation import escalate_overdue, wake_rested
from monitoring.services.rules import create_rule
from registry.models import RegisteredModel

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)


@pytest.fixture
def rule(model: RegisteredModel) -> AlertRule:
    """Alerts of this rule wait for half an hour."""
    fields: dict[str, Any] = {"metric": "drift_share", "threshold": 0.3, "escalate_after_minutes": 30}
    return create_rule(model=model, by=SYSTEM, **fields)


@pytest.fixture
def desk(model: RegisteredModel) -> Channel:
    """A channel that hears only of what nobody acknowledged, and of summaries."""
    plain: dict[str, Any] = {"on_raised": False, "least_severity": "critical", "on_resolved": True}
    return create_channel(
        name="Desk", kind="email", settings={"addresses": ["desk@clinic.example"]}, by=SYSTEM, **plain
    )


def alert_of(rule: AlertRule, minutes: float, **fields: object) -> Alert:
    words = {"title": "Moved", "severity": rule.severity, "last_seen_at": timezone.now()}
    made = Alert.objects.create(model=rule.model, rule=rule, **words, **fields)
    Alert.objects.filter(pk=made.pk).update(created_at=timezone.now() - timedelta(minutes=minutes))
    made.refresh_from_db()
    return made


def test_what_nobody_acknowledges_gets_graver_once_and_further_people_hear(
    rule: AlertRule, desk: Channel
) -> None:
    alert = alert_of(rule, 31)
    assert escalate_overdue() == [alert]
    alert.refresh_from_db()
    assert (alert.severity, alert.escalated_at is not None) == ("critical", True)
    delivery = Delivery.objects.get(channel=desk)
    assert (delivery.kind, delivery.alerts) == (EventKind.ESCALATED, [alert.pk])
    assert escalate_overdue() == []
    deliver(pk=delivery.pk)
    assert mail.outbox[0].subject == "Nobody has acknowledged: [critical] Moved"


def test_patience_acknowledgement_and_sleep_hold_it_back(rule: AlertRule) -> None:
    alert = alert_of(rule, 29)
    assert escalate_overdue() == []
    Alert.objects.update(created_at=timezone.now() - timedelta(minutes=90))
    snooze(alert=alert, until=timezone.now() + timedelta(hours=1), by=SYSTEM)
    assert escalate_overdue() == []
    Alert.objects.update(snoozed_until=None)
    acknowledge(alert=alert, by=SYSTEM)
    assert escalate_overdue() == []


def test_an_alert_wakes_when_its_sleep_is_over_and_is_told_again(rule: AlertRule) -> None:
    create_channel(name="Watchers", kind="email", by=SYSTEM)
    alert = alert_of(rule, 1, snoozed_until=timezone.now() + timedelta(minutes=5))
    assert wake_rested() == []
    over = timezone.now() - timedelta(seconds=1)
    Alert.objects.update(snoozed_until=over)
    assert wake_rested() == [alert]
    assert Delivery.objects.get().payload["subject"] == "Still there: [warning] Moved"
    alert.refresh_from_db()
    assert alert.snoozed_until is None
    assert wake_rested() == []


def test_the_end_of_an_alert_is_told_where_it_is_wanted(rule: AlertRule, desk: Channel) -> None:
    Channel.objects.update(least_severity="info")
    resolve(alert=alert_of(rule, 1), by=SYSTEM)
    assert Delivery.objects.get().payload["subject"] == "Resolved: [warning] Moved"


@pytest.mark.parametrize(("digest", "hours", "written"), [("daily", 24, 3), ("weekly", 24, 1)])
def test_a_summary_is_written_once_for_each_day_or_week(
    rule: AlertRule, desk: Channel, digest: str, hours: int, written: int
) -> None:
    Channel.objects.update(digest=digest)
    for day in range(3):
        for minutes in (0, 10):
            write_digests(now=MONDAY + timedelta(hours=hours * day, minutes=minutes))
    assert Delivery.objects.count() == written


def test_a_summary_counts_what_the_channel_hears_of(rule: AlertRule, desk: Channel) -> None:
    add_member(email="ann@clinic.example", role="operator", by=SYSTEM)
    Channel.objects.update(digest="daily", least_severity="warning", settings={"addresses": []})
    now = timezone.now()
    hour = (now - timedelta(hours=1)).hour
    Channel.objects.update(digest_hour=hour)
    yesterday = 60 * 3
    open_one = alert_of(rule, yesterday, cause="")
    Alert.objects.create(model=rule.model, severity="info", title="Quiet", last_seen_at=now)
    done = Alert.objects.create(model=rule.model, severity="critical", title="Over", last_seen_at=now)
    resolve(alert=done, by=SYSTEM)
    ended = now - timedelta(hours=2, minutes=30)
    Alert.objects.filter(pk=done.pk).update(created_at=ended, resolved_at=ended)
    Delivery.objects.all().delete()
    (delivery,) = write_digests(now=now)
    assert delivery.payload["figures"] == {
        "raised": 2,
        "resolved": 1,
        "open": 1,
        "by_severity": {"warning": 1, "critical": 1},
    }
    deliver(pk=delivery.pk)
    (letter,) = mail.outbox
    assert letter.to == ["ann@clinic.example"]
    assert "2 raised (1 critical, 1 warning), 1 resolved. 1 stand open now." in letter.body
    assert open_one.title in letter.body
    assert "Quiet" not in letter.body
