"""Rules: sensible by default, checked when made by hand."""

from typing import Any

import pytest

from mlplatform.tenancy.actors import SYSTEM
from monitoring.errors import InvalidRule, RuleExists, RuleNotFound
from monitoring.models import Alert, AlertRule
from monitoring.services.rules import (
    create_rule,
    delete_rule,
    ensure_rules,
    find_rule,
    tolerated_value,
    update_rule,
)
from registry.models import ModelVersion, RegisteredModel
from tests.factories import make_model, make_version


def test_default_rules(model: RegisteredModel, champion: ModelVersion) -> None:
    rules = ensure_rules(model=model, champion=champion, by=SYSTEM)
    found = {(rule.metric, rule.severity): rule.threshold for rule in rules}
    assert found == {
        ("drift_share", "warning"): 0.0,
        ("drift_share", "critical"): 0.5,
        ("performance", "critical"): pytest.approx(0.9 * champion.metrics["f1"]),
    }


def test_they_are_made_once_and_changes_stay(model: RegisteredModel, champion: ModelVersion) -> None:
    first, *_ = ensure_rules(model=model, champion=champion, by=SYSTEM)
    update_rule(rule=first, threshold=0.4, by=SYSTEM)
    assert 0.4 in [rule.threshold for rule in ensure_rules(model=model, champion=champion, by=SYSTEM)]
    assert AlertRule.objects.count() == 3


def test_a_tenth_worse_than_a_negative_value_is_lower(in_tenant: None) -> None:
    version = make_version(make_model(data="diabetes"), metrics={"r2": -1.0})
    assert tolerated_value(version) == pytest.approx(-1.1)
    version.metrics = {}
    assert tolerated_value(version) is None


def make(model: RegisteredModel, **changes: Any) -> AlertRule:
    fields: dict[str, Any] = {"metric": "drift_share", "threshold": 0.3, "severity": "info"}
    return create_rule(model=model, by=SYSTEM, **(fields | changes))


@pytest.mark.parametrize(
    "wrong",
    [
        {"threshold": -0.1},
        {"threshold": 1.1},
        {"threshold": float("nan")},
        {"metric": "performance", "threshold": float("inf")},
        {"metric": "moon"},
        {"severity": "fatal"},
        {"minimum_rows": 0},
        {"minimum_rows": 10**7},
        {"cooldown_minutes": 10**7},
        {"cooldown_minutes": -1},
    ],
)
def test_a_rule_that_cannot_work_is_refused_by_field(model: RegisteredModel, wrong: dict[str, Any]) -> None:
    with pytest.raises(InvalidRule) as caught:
        make(model, **wrong)
    assert set(wrong) & set(caught.value.fields or {})
    assert not AlertRule.objects.exists()


def test_a_second_rule_of_the_same_kind_is_refused(model: RegisteredModel) -> None:
    make(model)
    with pytest.raises(RuleExists):
        make(model, threshold=0.9)


def test_deleting_a_rule_keeps_its_alerts(model: RegisteredModel, champion: ModelVersion) -> None:
    rule = make(model)
    Alert.objects.create(model=model, rule=rule, severity="info", last_seen_at=rule.created_at)
    delete_rule(rule=find_rule(rule.pk), by=SYSTEM)
    assert Alert.objects.get().rule is None
    with pytest.raises(RuleNotFound):
        find_rule(rule.pk or 1)
