"""Snoozing, waking and owning alerts."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Membership
from mlplatform.tenancy.services.grants import give_right
from mlplatform.tenancy.services.tenants import add_member
from monitoring.errors import AlertClosed, InvalidOwner, InvalidSnooze
from monitoring.models import Alert
from monitoring.services.alert_care import assign, find_owner, possible_owners, snooze, wake
from monitoring.services.alerts import resolve
from registry.models import RegisteredModel


@pytest.fixture
def alert(model: RegisteredModel) -> Alert:
    return Alert.objects.create(model=model, severity="warning", title="Moved", last_seen_at=timezone.now())


@pytest.fixture
def ann(model: RegisteredModel) -> Membership:
    return add_member(email="ann@clinic.example", role="operator", by=SYSTEM)


def test_a_snoozed_alert_sleeps_until_then_and_says_who_and_why(alert: Alert) -> None:
    until = timezone.now() + timedelta(hours=3)
    snooze(alert=alert, until=until, reason="Scanner is serviced", by=SYSTEM)
    assert (alert.is_snoozed, alert.snooze_reason, alert.snoozed_by) == (
        True,
        "Scanner is serviced",
        str(SYSTEM),
    )
    told = AuditEvent.objects.get(action="alert.snoozed")
    assert told.details["reason"] == "Scanner is serviced"
    wake(alert=alert, by=SYSTEM)
    assert (alert.is_snoozed, alert.snoozed_until) == (False, None)
    with pytest.raises(AlertClosed, match="not snoozed"):
        wake(alert=alert, by=SYSTEM)


@pytest.mark.parametrize("days", [-1, 91])
def test_a_moment_that_makes_no_sense_is_refused_by_field(alert: Alert, days: int) -> None:
    with pytest.raises(InvalidSnooze) as caught:
        snooze(alert=alert, until=timezone.now() + timedelta(days=days), by=SYSTEM)
    assert set(caught.value.fields or {}) == {"until"}


def test_an_owner_is_a_member_who_may_see_the_model(alert: Alert, ann: Membership) -> None:
    assert assign(alert=alert, owner=find_owner("ANN@clinic.example"), by=SYSTEM).owner == ann
    assert ann in possible_owners(alert)
    give_right(model=alert.model, holder=ann, role="none", by=SYSTEM)
    assert ann not in possible_owners(alert)
    with pytest.raises(InvalidOwner, match="may not see"):
        assign(alert=alert, owner=ann, by=SYSTEM)
    with pytest.raises(InvalidOwner):
        find_owner("stranger@example.com")
    assert assign(alert=alert, owner=find_owner(""), by=SYSTEM).owner is None


def test_an_alert_outlives_its_owner(alert: Alert, ann: Membership) -> None:
    assign(alert=alert, owner=ann, by=SYSTEM)
    ann.delete()
    alert.refresh_from_db()
    assert alert.owner is None


def test_nothing_can_be_done_to_a_resolved_alert(alert: Alert, ann: Membership) -> None:
    resolve(alert=alert, by=SYSTEM)
    with pytest.raises(AlertClosed):
        assign(alert=alert, owner=ann, by=SYSTEM)
    with pytest.raises(AlertClosed):
        snooze(alert=alert, until=timezone.now() + timedelta(hours=1), by=SYSTEM)
