"""Alerts about quality: raised by outcomes, resolved by better ones, and apart from those about drift."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from monitoring.models import Alert, AlertRule, PerformanceSnapshot
from monitoring.models.alert import AlertMetric
from monitoring.services.alerts import AlertChanges, evaluate, resolve
from monitoring.services.checks import run_checks
from monitoring.services.rules import create_rule, update_rule
from monitoring.services.verdicts import Findings, verdict_of
from registry.models import ModelVersion, RegisteredModel
from tests.factories import make_champion, make_model
from tests.monitoring.conftest import Ask, tell


def rule_for(version: ModelVersion, threshold: float = 0.8, **fields: object) -> AlertRule:
    return create_rule(
        model=version.model, by=SYSTEM, metric=AlertMetric.PERFORMANCE, threshold=threshold, **fields
    )


def snapshot(version: ModelVersion, value: float | None, labelled: int = 100) -> PerformanceSnapshot:
    """What a check measured: the primary metric's ``value``, or that it is not defined."""
    name = "f1" if version.classes else "r2"
    now = timezone.now()
    return PerformanceSnapshot.objects.create(
        model=version.model,
        version=version,
        window_start=now,
        window_end=now,
        predictions=labelled,
        labelled=labelled,
        metrics={} if value is None else {name: value},
    )


def judge(version: ModelVersion, value: float | None, labelled: int = 100) -> AlertChanges:
    findings = Findings(None, snapshot(version, value, labelled))
    return evaluate(model=version.model, champion=version, findings=findings, by=SYSTEM)


@pytest.mark.parametrize(("value", "crossed"), [(0.79, True), (0.8, False), (0.95, False), (0.0, True)])
def test_a_value_below_the_limit_crosses_it(champion: ModelVersion, value: float, crossed: bool) -> None:
    verdict = verdict_of(rule_for(champion), Findings(None, snapshot(champion, value)))
    assert verdict is not None
    assert verdict.crossed is crossed
    assert f"is {value:.3f} over 100 outcomes" in verdict.message
    assert "0.800" in verdict.message


def test_a_regression_is_judged_by_its_own_metric(in_tenant: None) -> None:
    version = make_champion(make_model(data="diabetes"))
    (alert,) = (rule_for(version, 0.3), judge(version, -0.5))[1].raised
    assert alert.evidence["metric"] == "r2"
    assert alert.title.endswith("quality has dropped")


@pytest.mark.parametrize(("value", "labelled"), [(None, 100), (0.1, 29)])
def test_what_is_not_defined_or_rests_on_too_little_gives_no_verdict(
    champion: ModelVersion, value: float | None, labelled: int
) -> None:
    rule_for(champion)
    assert judge(champion, value, labelled) == AlertChanges()


def test_better_outcomes_resolve_the_alert_by_themselves(champion: ModelVersion) -> None:
    rule_for(champion)
    (alert,) = judge(champion, 0.5).raised
    assert judge(champion, None).resolved == []
    assert judge(champion, 0.9).resolved == [alert]
    alert.refresh_from_db()
    assert (alert.state, alert.resolved_by) == ("resolved", str(SYSTEM))


@pytest.mark.parametrize(("minutes", "raised"), [(0, 1), (60, 0)])
def test_the_cooldown_begins_when_the_alert_is_resolved(
    champion: ModelVersion, minutes: int, raised: int
) -> None:
    rule_for(champion, cooldown_minutes=minutes)
    (alert,) = judge(champion, 0.5).raised
    Alert.objects.filter(pk=alert.pk).update(created_at=timezone.now() - timedelta(days=2))
    resolve(alert=alert, by=SYSTEM)
    assert len(judge(champion, 0.5).raised) == raised


def test_a_graver_rule_speaks_although_a_milder_one_is_silent(champion: ModelVersion) -> None:
    rule_for(champion, 0.8, severity="warning")
    rule_for(champion, 0.6, severity="critical")
    (warning,) = judge(champion, 0.7).raised
    resolve(alert=warning, by=SYSTEM)
    assert judge(champion, 0.7).raised == []
    assert [alert.severity for alert in judge(champion, 0.5).raised] == ["critical"]


def test_a_limit_that_is_moved_counts_from_the_next_check(champion: ModelVersion) -> None:
    rule = rule_for(champion, 0.8)
    (alert,) = judge(champion, 0.7).raised
    update_rule(rule=rule, by=SYSTEM, threshold=0.6)
    assert judge(champion, 0.7).resolved == [alert]


def test_drift_and_quality_are_told_apart_and_both(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(60, drifted=20), wrong=True)
    raised = run_checks(model=model, by=SYSTEM).raised
    assert {alert.rule.metric for alert in raised if alert.rule} == {"drift_share", "performance"}
    assert len({alert.title for alert in raised}) == 2


def test_a_rule_switched_off_says_nothing(champion: ModelVersion) -> None:
    update_rule(rule=rule_for(champion), by=SYSTEM, enabled=False)
    assert judge(champion, 0.1) == AlertChanges()
