"""Rules with a memory: M of N checks, windows of their own, slices, and the alert that data lacks."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from monitoring.models import Alert, AlertRule, DriftReport, Rollup
from monitoring.models.alert import UNRESOLVED, AlertCause
from monitoring.services.alerts import AlertChanges, close_outdated, evaluate, resolve
from monitoring.services.checks import run_checks
from monitoring.services.rules import create_rule, update_rule
from monitoring.services.verdicts import Findings
from registry.models import ModelVersion
from tests.factories import make_version
from tests.monitoring.conftest import Ask


def rule_of(champion: ModelVersion, **changes: Any) -> AlertRule:
    fields: dict[str, Any] = {"metric": "drift_share", "threshold": 0.3, "cooldown_minutes": 0}
    return create_rule(model=champion.model, by=SYSTEM, **(fields | changes))


def found(version: ModelVersion, drifted: int | None) -> Findings:
    """Return findings in which so many of 10 features have drifted."""
    if drifted is None:
        return Findings(None, None)
    now = timezone.now()
    window = {"window_start": now, "window_end": now}
    counts = {"rows": 100, "features": 10, "drifted_features": drifted, "alarm": drifted > 0}
    return Findings(
        DriftReport.objects.create(model=version.model, version=version, **window, **counts), None
    )


def check(version: ModelVersion, drifted: int | None) -> AlertChanges:
    return evaluate(model=version.model, champion=version, findings=found(version, drifted), by=SYSTEM)


def silent_for(rule: AlertRule, hours: float) -> None:
    """Let the rule's silence have begun so long ago."""
    rule.refresh_from_db()
    since = timezone.now() - timedelta(hours=hours)
    AlertRule.objects.filter(pk=rule.pk).update(watch={**rule.watch, "silent_since": since.isoformat()})


def test_two_of_three_checks_are_needed_and_one_good_one_is_forgiven(champion: ModelVersion) -> None:
    rule_of(champion, required=2, out_of=3)
    assert check(champion, 5).raised == []
    assert check(champion, 0).raised == []
    (alert,) = check(champion, 5).raised
    assert "Crossed in 2 of the last 3 checks." in alert.message
    assert check(champion, 5).resolved == []
    assert check(champion, 0).resolved == []  # 2 of the last 3 were still too much
    assert check(champion, 0).resolved == [alert]


def test_a_check_without_a_verdict_is_not_counted(champion: ModelVersion) -> None:
    rule_of(champion, required=2, out_of=2)
    check(champion, 5)
    check(champion, None)
    assert len(check(champion, 5).raised) == 1


def test_another_champion_or_condition_begins_anew(champion: ModelVersion) -> None:
    rule = rule_of(champion, required=2, out_of=2)
    check(champion, 5)
    assert check(make_version(champion.model), 5).raised == []
    rule.refresh_from_db()
    update_rule(rule=rule, by=SYSTEM, threshold=0.4)
    assert AlertRule.objects.get().watch == {}


def test_a_change_of_the_rule_keeps_what_a_check_noted_meanwhile(champion: ModelVersion) -> None:
    rule = rule_of(champion)
    check(champion, 0)
    update_rule(rule=rule, by=SYSTEM, cooldown_minutes=5)
    assert AlertRule.objects.get().watch["verdicts"] == [False]


@pytest.mark.parametrize(
    ("comparison", "drifted", "raised"), [("above", 3, 1), ("below", 3, 1), ("below", 4, 0), ("above", 2, 0)]
)
def test_a_rule_may_say_on_which_side_is_too_much(
    champion: ModelVersion, comparison: str, drifted: int, raised: int
) -> None:
    rule_of(champion, comparison=comparison)
    assert len(check(champion, drifted).raised) == raised


def test_a_slice_is_judged_by_its_own_findings_and_inhibits_only_itself(champion: ModelVersion) -> None:
    rule_of(champion, slice="sex=female")
    rule_of(champion, severity="critical")
    whole = found(champion, 0)
    parts = Findings(whole.drift, None, slices={"sex=female": found(champion, 5)})
    (alert,) = evaluate(model=champion.model, champion=champion, findings=parts, by=SYSTEM).raised
    assert (alert.severity, alert.evidence["slice"]) == ("warning", "sex=female")


def test_a_window_of_its_own_sees_only_the_last_hours(champion: ModelVersion, ask: Ask) -> None:
    ask(60, drifted=20)
    run_checks(model=champion.model, by=SYSTEM)
    AlertRule.objects.all().delete()
    rule_of(champion, window_hours=2)
    rule_of(champion, severity="critical")
    raised = run_checks(model=champion.model, by=SYSTEM).raised
    assert [alert.severity for alert in raised] == ["critical"]  # which inhibits the other
    assert raised[0].evidence["pictures"][0]["then"]
    AlertRule.objects.filter(severity="critical").delete()
    (narrow,) = run_checks(model=champion.model, by=SYSTEM).raised
    assert narrow.evidence["looked_at"] == "the last 2 hours"
    earlier = timezone.now() - timedelta(hours=5)
    Rollup.objects.update(begins=earlier)
    assert run_checks(model=champion.model, by=SYSTEM).alerts.resolved == []  # no data there: no verdict
    assert AlertRule.objects.get(window_hours=2).watch["silent_since"]


def test_a_rule_without_data_for_too_long_raises_its_own_alert_once(champion: ModelVersion) -> None:
    rule = rule_of(champion, severity="critical", no_data_hours=24)
    assert check(champion, None).raised == []
    silent_for(rule, 23)
    assert check(champion, None).raised == []
    silent_for(rule, 25)
    (alert,) = check(champion, None).raised
    assert (alert.cause, alert.severity, alert.rule) == (AlertCause.NO_DATA, "warning", rule)
    assert "25 hours" in alert.message
    assert check(champion, None).raised == []
    assert check(champion, 0).resolved == [alert]


def test_a_drift_alert_and_the_alert_that_data_lacks_stand_beside_each_other(champion: ModelVersion) -> None:
    rule = rule_of(champion, no_data_hours=1)
    check(champion, 5)
    check(champion, None)
    silent_for(rule, 2)
    check(champion, None)
    assert Alert.objects.filter(state__in=UNRESOLVED, rule=rule).count() == 2
    other = make_version(champion.model)
    assert len(close_outdated(model=champion.model, champion=other, by=SYSTEM)) == 2


def test_silence_may_be_allowed_for_ever_and_is_not_repeated_after_a_person_said_so(
    champion: ModelVersion,
) -> None:
    rule = rule_of(champion, no_data_hours=0, cooldown_minutes=60)
    check(champion, None)
    silent_for(rule, 1000)
    assert check(champion, None).raised == []
    update_rule(rule=rule, by=SYSTEM, no_data_hours=5)
    silent_for(rule, 1000)
    (alert,) = check(champion, None).raised
    resolve(alert=alert, by=SYSTEM)
    assert check(champion, None).raised == []
