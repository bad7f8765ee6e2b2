"""How requests ended, over a period, for people, rules and rollbacks."""

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from monitoring.models import AlertRule
from monitoring.services.checks import run_checks
from monitoring.services.periods import period_of
from monitoring.services.policies import policy_of, update_policy
from monitoring.services.request_figures import request_report
from monitoring.services.retraining import decide
from monitoring.services.rules import create_rule
from monitoring.services.service_figures import service_report
from monitoring.services.windows import hour_of
from registry.models import ModelVersion, RegisteredModel, RequestTally
from registry.services.champions import champion_of
from registry.services.promotion import promote
from tests.factories import make_version
from tests.monitoring.conftest import Ask


def count(model: RegisteredModel, number: int = 1, at: datetime | None = None, **outcomes: int) -> None:
    """Count so many requests that ended so."""
    begins = hour_of(at or timezone.now())
    for outcome, many in outcomes.items():
        RequestTally.objects.create(model=model, number=number, begins=begins, outcome=outcome, count=many)


def test_errors_are_a_share_of_what_could_be_answered_refusals_of_all(model: RegisteredModel) -> None:
    count(model, answered=90, failed=4, unavailable=4, stood_in=2)
    count(model, 0, invalid=60, throttled=40)
    found = request_report(model=model, period=period_of())
    assert (found.requests, found.error_rate, found.refusal_rate) == (200, 0.1, 0.5)
    assert [(one.number, one.requests) for one in found.versions] == [(1, 100), (0, 100)]
    assert [(one.requests, one.error_rate) for one in found.steps] == [(200, 0.1)]


def test_without_a_request_there_is_no_rate(model: RegisteredModel) -> None:
    found = service_report(model=model, period=period_of()).requests
    assert found is not None
    assert (found.requests, found.error_rate, found.refusal_rate) == (0, None, None)


def rule(model: RegisteredModel, threshold: float = 0.05) -> AlertRule:
    return create_rule(model=model, by=SYSTEM, metric="error_rate", threshold=threshold)


@pytest.mark.parametrize(("failed", "raised"), [(30, 1), (6, 0)])
def test_an_alarm_on_errors_needs_more_of_them_than_chance_brings(
    model: RegisteredModel, failed: int, raised: int
) -> None:
    rule(model)
    count(model, answered=100 - failed, failed=failed)
    alerts = [
        one
        for one in run_checks(model=model, by=SYSTEM).raised
        if one.rule and one.rule.metric == "error_rate"
    ]
    assert len(alerts) == raised
    for alert in alerts:
        assert alert.title.endswith("requests are not answered")
        assert alert.evidence["condition"] == "above 0.05, beyond chance"
        assert (alert.evidence["value"], alert.evidence["rows"]) == (0.3, 100)


@pytest.fixture
def second(model: RegisteredModel, champion: ModelVersion) -> ModelVersion:
    """A second version that answers, and is taken back by itself on errors."""
    version = make_version(model, dataset=champion.dataset)
    promote(model=model, version=version, by=SYSTEM, reason="newer", override=True)
    update_policy(model=model, by=SYSTEM, rollback_on_errors=True, rollback_minimum=30, on_performance=False)
    return version


def number_of(model: RegisteredModel) -> int:
    found = champion_of(model)
    assert found is not None
    return found.number


def test_a_version_that_fails_is_taken_back_though_nothing_of_it_is_in_the_log(
    model: RegisteredModel, second: ModelVersion
) -> None:
    count(model, 2, failed=40)
    decision = decide(model=model)
    assert decision is not None
    assert (decision.state, decision.rule, number_of(model)) == ("rolled_back", "errors", 1)
    assert "over 40 requests" in decision.reason


@pytest.mark.parametrize(
    "outcomes",
    [
        {"failed": 20},  # too few requests
        {"answered": 970, "failed": 30},  # within the limit
        {"answered": 50, "unavailable": 500},  # not its doing
        {"answered": 50, "invalid": 500},  # not its doing either
    ],
)
def test_a_version_is_not_taken_back_without_proof_against_itself(
    model: RegisteredModel, second: ModelVersion, outcomes: dict[str, int]
) -> None:
    count(model, 2, None, **outcomes)
    decide(model=model)
    assert number_of(model) == 2


def test_failures_of_another_version_or_of_before_its_promotion_count_for_nothing(
    model: RegisteredModel, second: ModelVersion
) -> None:
    count(model, 1, failed=500)
    count(model, 2, timezone.now() - timedelta(hours=3), failed=500)
    decide(model=model)
    assert number_of(model) == 2


def test_failures_of_its_first_run_are_not_held_against_its_second(
    model: RegisteredModel, second: ModelVersion
) -> None:
    count(model, 2, failed=40)
    assert decide(model=model) is not None
    promote(model=model, version=second, by=SYSTEM, reason="mended", override=True)
    decide(model=model)
    assert number_of(model) == 2


def test_the_limit_of_errors_is_the_policys(model: RegisteredModel, second: ModelVersion) -> None:
    update_policy(model=model, by=SYSTEM, rollback_error_rate=0.8)
    count(model, 2, answered=50, failed=50)
    decide(model=model)
    assert (number_of(model), policy_of(model).rollback_error_rate) == (2, 0.8)


def test_requests_are_counted_apart_from_predictions(model: RegisteredModel, ask: Ask) -> None:
    ask(5)
    found = service_report(model=model, period=period_of())
    assert found.predictions == 5
    assert found.requests is not None
    assert found.requests.requests == 0  # asked by no request over the API
