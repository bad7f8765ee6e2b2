"""A whole check."""

import pytest

from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.models import AuditEvent, Tenant
from monitoring.errors import NothingDeployed
from monitoring.models import AlertRule
from monitoring.services.checks import run_checks
from registry.models import RegisteredModel
from tests.factories import make_model
from tests.monitoring.conftest import Ask, tell


def test_few_rows_are_told_instead_of_judged(model: RegisteredModel, ask: Ask) -> None:
    ask(12, drifted=20)
    result = run_checks(model=model, by=SYSTEM)
    assert (result.drift, result.performance, result.raised, result.decision) == (None, None, [], None)
    assert "Drift: no verdict, 12 of 30 rows needed have been predicted." in result.notes
    assert "Quality: no verdict, no outcome is known yet (30 are needed)." in result.notes


def test_drift_raises_an_alert_and_a_decision(model: RegisteredModel, ask: Ask) -> None:
    ask(40, drifted=20)
    result = run_checks(model=model, by=SYSTEM)
    assert [alert.severity for alert in result.raised] == ["critical"]
    assert result.decision is not None
    assert result.decision.inputs["code"] == "too_few_outcomes"


def test_lost_quality_raises_an_alert(model: RegisteredModel, ask: Ask) -> None:
    predictions = ask(40)
    tell(predictions[:20])
    tell(predictions[20:], wrong=True)
    (alert,) = run_checks(model=model, by=SYSTEM).raised
    assert alert.evidence["metric"] == "f1"
    assert alert.evidence["value"] < alert.evidence["threshold"] < alert.evidence["holdout"]


def test_too_few_outcomes_raise_nothing(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(40)[:29], wrong=True)
    result = run_checks(model=model, by=SYSTEM)
    assert result.raised == []
    assert "no verdict below 30" in result.notes[0]


def test_a_good_model_stays_in_peace(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(100))
    result = run_checks(model=model, by=SYSTEM)
    assert (result.raised, result.decision) == ([], None)


def test_checking_again_counts_the_alert_up(model: RegisteredModel, ask: Ask) -> None:
    ask(40, drifted=20)
    (alert,) = run_checks(model=model, by=SYSTEM).raised
    again = run_checks(model=model, by=SYSTEM)
    assert (again.raised, again.alerts.repeated) == ([], [alert])


def test_a_rule_may_ask_for_fewer_rows(model: RegisteredModel, ask: Ask) -> None:
    run_checks(model=model, by=SYSTEM)
    AlertRule.objects.update(minimum_rows=20)
    ask(25, drifted=20)
    assert len(run_checks(model=model, by=SYSTEM).raised) == 1


def test_a_model_without_champion_cannot_be_checked(in_tenant: Tenant) -> None:
    with pytest.raises(NothingDeployed, match="Promote a version first"):
        run_checks(model=make_model(), by=SYSTEM)


def test_a_check_that_somebody_asked_for_is_audited(model: RegisteredModel) -> None:
    run_checks(model=model, by=SYSTEM)
    assert not AuditEvent.objects.filter(action="model.checked").exists()
    run_checks(model=model, by=Actor(ActorKind.USER, "ann@example.com", 1))
    assert AuditEvent.objects.filter(action="model.checked").exists()
