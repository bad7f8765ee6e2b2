"""A version's errors are followed outcome by outcome, each once."""

from datetime import timedelta

from django.utils import timezone

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from monitoring.models import Alert, AlertRule, ErrorStream
from monitoring.models.alert import AlertMetric
from monitoring.services.checks import run_checks
from monitoring.services.concept import concept_reports
from monitoring.services.periods import period_of
from monitoring.services.places import Part
from monitoring.services.quality import quality_report
from monitoring.services.retraining import decide
from monitoring.services.rollups import roll_up
from monitoring.services.slices import set_slices
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.serving import predict
from tests.factories import make_champion, make_model, rows_of
from tests.monitoring.conftest import Ask, tell


def test_risen_errors_are_told_and_steady_ones_are_not(champion: ModelVersion, ask: Ask) -> None:
    tell(ask(100))
    roll_up()
    assert concept_reports([champion])[champion.pk].rises == []
    tell(ask(60), wrong=True)
    roll_up()
    report = concept_reports([champion])[champion.pk]
    (rise,) = report.rises[:1]
    assert (report.rows, rise.before, rise.since) == (160, 0.0, 1.0)
    assert 100 < rise.rows < 130


def test_each_outcome_is_followed_once_however_it_is_counted(champion: ModelVersion, ask: Ask) -> None:
    predictions = ask(40)
    tell(predictions)
    roll_up(batch=7)
    roll_up()
    before = ErrorStream.objects.get()
    tell(predictions[:12], wrong=True)  # corrected: they were followed when they first came
    roll_up(batch=5)
    after = ErrorStream.objects.get()
    assert (before.rows, after.rows, after.state) == (40, 40, before.state)


def test_the_batches_make_no_difference(champion: ModelVersion, ask: Ask) -> None:
    predictions = ask(50)
    tell(predictions[:25])
    tell(predictions[25:], wrong=True)
    roll_up(batch=9)
    in_parts = ErrorStream.objects.get().state
    ErrorStream.objects.all().delete()
    for row in predictions:
        row.outcomes.update(rolled_up=False)  # counted anew
    roll_up()
    assert ErrorStream.objects.get().state == in_parts


def test_errors_of_numbers_are_in_the_targets_unit(in_tenant: Tenant) -> None:
    champion = make_champion(make_model(data="diabetes"))
    rows = predict(model=champion.model, rows=rows_of(champion, 40), by=SYSTEM).predictions
    record_outcomes(
        items=[OutcomeItem(row.pk, (row.value or 0) + 30) for row in rows], source="api", by=SYSTEM
    )
    roll_up()
    report = concept_reports([champion])[champion.pk]
    assert report.unit is not None
    assert round(report.error * report.unit, 6) == 30


def test_a_rule_on_it_alerts_and_calls_for_retraining(
    champion: ModelVersion, model: RegisteredModel, ask: Ask
) -> None:
    AlertRule.objects.create(model=model, metric=AlertMetric.CONCEPT_DRIFT, threshold=1)
    tell(ask(100))
    run_checks(model=model, by=SYSTEM)
    assert not Alert.objects.filter(rule__metric=AlertMetric.CONCEPT_DRIFT).exists()
    tell(ask(60), wrong=True)
    run_checks(model=model, by=SYSTEM)
    alert = Alert.objects.get(rule__metric=AlertMetric.CONCEPT_DRIFT)
    assert "rose from 0% to 100%" in alert.message
    assert alert.evidence["rises"][0]["outcomes"] > 100
    Alert.objects.exclude(pk=alert.pk).delete()
    decision = decide(model=model)
    assert decision is not None
    assert (decision.rule, decision.alert_id) == ("performance", alert.pk)


def test_a_slice_says_nothing_of_concept_drift(model: RegisteredModel, ask: Ask) -> None:
    set_slices(model=model, slices={"mean_radius": []}, by=SYSTEM)
    tell(ask(10))
    whole = quality_report(model=model, period=period_of()).versions[0]
    assert whole.concept is not None
    assert whole.concept.rows == 10
    part = Part("mean_radius", "missing")
    assert all(
        one.concept is None for one in quality_report(model=model, period=period_of(), part=part).versions
    )


def test_the_moments_are_those_of_the_predictions(champion: ModelVersion, ask: Ask) -> None:
    earlier = timezone.now() - timedelta(days=2)
    predictions = ask(40)
    Prediction.objects.update(created_at=earlier)
    tell(predictions)
    roll_up()
    assert {one[0] for one in concept_reports([champion])[champion.pk].course} == {earlier}
