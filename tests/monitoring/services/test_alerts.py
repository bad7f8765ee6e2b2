"""Alerts: raised once, counted up, resolved when the condition is over, silent for their cooldown."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent
from monitoring.errors import AlertClosed, AlertNotFound
from monitoring.models import Alert, AlertRule, Delivery, DriftReport
from monitoring.models.alert import AlertMetric, AlertState, Severity
from monitoring.services.alerts import (
    AlertChanges,
    acknowledge,
    close_outdated,
    evaluate,
    find_alert,
    resolve,
    unresolved_alerts,
)
from monitoring.services.channels import create_channel
from monitoring.services.rules import ensure_rules
from monitoring.services.verdicts import Findings
from registry.models import ModelVersion, RegisteredModel
from tests.factories import make_version


@pytest.fixture
def rules(champion: ModelVersion) -> dict[str, AlertRule]:
    """The default drift rules by severity."""
    made = ensure_rules(model=champion.model, champion=champion, by=SYSTEM)
    return {rule.severity: rule for rule in made if rule.metric == AlertMetric.DRIFT_SHARE}


def check(version: ModelVersion, drifted: int | None, rows: int = 100) -> AlertChanges:
    """Let a check find ``drifted`` of 10 features, or nothing at all."""
    now = timezone.now()
    report = None
    if drifted is not None:
        report = DriftReport.objects.create(
            model=version.model,
            version=version,
            window_start=now,
            window_end=now,
            rows=rows,
            features=10,
            drifted_features=drifted,
            alarm=drifted > 0,
        )
    findings = Findings(report, None)
    return evaluate(model=version.model, champion=version, findings=findings, by=SYSTEM)


@pytest.mark.parametrize(
    ("drifted", "severity"),
    [(0, None), (1, "warning"), (2, "warning"), (4, "warning"), (5, "critical"), (10, "critical")],
)
def test_the_gravest_rule_that_is_crossed_raises_one_alert(
    champion: ModelVersion, rules: dict[str, AlertRule], drifted: int, severity: str | None
) -> None:
    raised = [alert.severity for alert in check(champion, drifted).raised]
    assert raised == ([severity] if severity else [])


def test_the_alert_carries_words_and_evidence(champion: ModelVersion, rules: dict[str, AlertRule]) -> None:
    (alert,) = check(champion, 3).raised
    assert "3 of 10 features (30%)" in alert.message
    assert (alert.evidence["share"], alert.evidence["rows"]) == (0.3, 100)
    assert AuditEvent.objects.filter(action="alert.raised", object_id=str(alert.pk)).exists()


def test_an_unresolved_alert_is_counted_up_instead_of_raised_again(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    (alert,) = check(champion, 3).raised
    acknowledge(alert=alert, by=SYSTEM)
    changes = check(champion, 4)
    assert (changes.raised, changes.repeated) == ([], [alert])
    alert.refresh_from_db()
    assert (alert.occurrences, alert.state) == (2, AlertState.ACKNOWLEDGED)
    assert (alert.evidence["share"], alert.latest["share"]) == (0.3, 0.4)


def test_it_resolves_itself_when_the_condition_is_over(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    (alert,) = check(champion, 3).raised
    assert check(champion, 0).resolved == [alert]
    assert find_alert(alert.pk).state == AlertState.RESOLVED


@pytest.mark.parametrize(("drifted", "rows"), [(None, 0), (0, 29)])
def test_without_a_verdict_it_stays(
    champion: ModelVersion, rules: dict[str, AlertRule], drifted: int | None, rows: int
) -> None:
    (alert,) = check(champion, 3).raised
    assert check(champion, drifted, rows).resolved == []
    assert unresolved_alerts(champion.model) == [alert]


def test_too_few_rows_raise_nothing(champion: ModelVersion, rules: dict[str, AlertRule]) -> None:
    assert check(champion, 10, rows=29).raised == []


def test_worse_drift_replaces_the_warning(champion: ModelVersion, rules: dict[str, AlertRule]) -> None:
    (warning,) = check(champion, 3).raised
    changes = check(champion, 7)
    assert [alert.severity for alert in changes.raised] == [Severity.CRITICAL]
    assert changes.resolved == [warning]


def test_what_a_graver_alert_takes_over_is_not_told_as_over(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    create_channel(name="Watchers", kind="email", on_resolved=True, by=SYSTEM)
    check(champion, 3)
    check(champion, 7)
    (critical,) = check(champion, 7).repeated
    assert check(champion, 0).resolved == [critical]
    said = [one.payload["subject"].partition("]")[0] for one in Delivery.objects.order_by("pk")]
    assert said == ["[warning", "[critical", "Resolved: [critical"]


def test_a_resolved_alert_leaves_its_rule_silent_for_the_cooldown(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    (alert,) = check(champion, 3).raised
    resolve(alert=alert, by=SYSTEM)
    assert check(champion, 3).raised == []
    hour_ago = timezone.now() - timedelta(minutes=61)
    Alert.objects.filter(pk=alert.pk).update(resolved_at=hour_ago)
    assert len(check(champion, 3).raised) == 1


def test_an_alert_about_a_version_that_no_longer_runs_is_resolved(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    (alert,) = check(champion, 3).raised
    successor = make_version(champion.model)
    assert close_outdated(model=champion.model, champion=champion, by=SYSTEM) == []
    assert check(successor, None).resolved == [alert]


def test_the_alert_of_a_rule_switched_off_or_deleted_is_resolved(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    (alert,) = check(champion, 3).raised
    AlertRule.objects.filter(pk=rules["warning"].pk).update(enabled=False)
    assert check(champion, 3).resolved == [alert]


def test_the_database_allows_one_unresolved_alert_per_rule(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    (alert,) = check(champion, 3).raised
    with pytest.raises(IntegrityError), transaction.atomic():
        Alert.objects.create(
            model=champion.model, rule=alert.rule, severity="warning", last_seen_at=timezone.now()
        )


def test_only_an_open_alert_is_acknowledged_and_only_once(
    champion: ModelVersion, rules: dict[str, AlertRule]
) -> None:
    (alert,) = check(champion, 3).raised
    assert acknowledge(alert=alert, by=SYSTEM).acknowledged_by == str(SYSTEM)
    with pytest.raises(AlertClosed, match="acknowledged already"):
        acknowledge(alert=alert, by=SYSTEM)


def test_only_an_unresolved_alert_is_resolved(champion: ModelVersion, rules: dict[str, AlertRule]) -> None:
    (alert,) = check(champion, 3).raised
    resolve(alert=alert, by=SYSTEM, reason="known season")
    told = AuditEvent.objects.filter(action="alert.resolved").latest("at")
    assert told.details["reason"] == "known season"
    with pytest.raises(AlertClosed):
        resolve(alert=alert, by=SYSTEM)


def test_an_unknown_alert_is_not_found(model: RegisteredModel) -> None:
    with pytest.raises(AlertNotFound):
        find_alert(1)
