"""Quality over any period."""

from datetime import timedelta

import pytest
from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import SYSTEM
from monitoring.services.periods import Period, period_of
from monitoring.services.quality import quality_report
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.aliases import set_alias
from registry.services.serving import predict
from tests.factories import make_version, rows_of
from tests.monitoring.conftest import Ask, tell


def week() -> Period:
    return period_of()


def test_every_metric_has_its_interval_and_the_number_of_outcomes(model: RegisteredModel, ask: Ask) -> None:
    rows = ask(40)
    tell(rows[:20])
    tell(rows[20:30], wrong=True)
    (found,) = quality_report(model=model, period=week()).versions
    assert (found.roles, found.predictions, found.labelled) == (["champion"], 40, 30)
    accuracy = found.realized["accuracy"]
    assert accuracy.value == pytest.approx(20 / 30)
    assert accuracy.low is not None
    assert accuracy.high is not None
    assert accuracy.low < 20 / 30 < accuracy.high
    assert {metric.name for metric in model.problem.metrics} == set(found.realized)


def test_a_trend_goes_step_by_step_and_a_period_ends_where_it_ends(model: RegisteredModel, ask: Ask) -> None:
    old = ask(10)
    earlier = timezone.now() - timedelta(days=3)
    Prediction.objects.filter(pk__in=[row.pk for row in old]).update(created_at=earlier)
    tell(old, wrong=True)
    tell(ask(10))
    (trend,) = quality_report(model=model, period=week(), metric="accuracy").trends
    assert [step.realized and step.realized.value for step in trend.steps] == [0.0, 1.0]
    assert [step.labelled for step in trend.steps] == [10, 10]
    past = period_of(earlier - timedelta(hours=1), timezone.now() - timedelta(days=2))
    (found,) = quality_report(model=model, period=past).versions
    assert found.realized["accuracy"].value == 0.0


def test_a_challenger_is_held_against_the_champion(
    champion: ModelVersion, model: RegisteredModel, ask: Ask
) -> None:
    tell(ask(40))
    second = make_version(model, dataset=champion.dataset)
    set_alias(model=model, name="challenger", version=second, by=SYSTEM)
    rows = predict(model=model, rows=rows_of(second, 40, start=100), by=SYSTEM, version=second.number)
    tell(rows.predictions, wrong=True)
    first, other = quality_report(model=model, period=week()).versions
    assert (first.version, first.ahead, other.roles) == (champion, None, ["challenger"])
    assert other.ahead is not None
    assert other.ahead.high is not None
    assert other.ahead.high < 0
    (alone,) = quality_report(model=model, period=week(), version=2).versions
    assert alone.version == second


def test_what_cannot_be_measured_is_refused(model: RegisteredModel) -> None:
    with pytest.raises(InvalidInput, match="has no metric 'rmse'"):
        quality_report(model=model, period=week(), metric="rmse")
    now = timezone.now()
    with pytest.raises(InvalidInput, match="ends before"):
        period_of(now, now)


def test_steps_are_few_however_long_the_period() -> None:
    now = timezone.now()
    for days in (1, 7, 90, 3650):
        period = period_of(now - timedelta(days=days), now)
        assert (period.until - period.since) / period.step <= 123
