"""Estimates, calibration, service, usage, data, slices and fairness, from the roll-ups."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from monitoring.models import Rollup
from monitoring.services.calibration import calibration_reports
from monitoring.services.data_quality import data_report
from monitoring.services.fairness import fairness_reports
from monitoring.services.losses import estimate_losses
from monitoring.services.periods import period_of
from monitoring.services.places import Part
from monitoring.services.quality import quality_report
from monitoring.services.rollups import roll_up
from monitoring.services.service_figures import service_report
from monitoring.services.slices import InvalidSlices, set_slices, slices_named
from monitoring.services.usage import usage_of
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.serving import predict
from tests.factories import make_champion, make_model, rows_of
from tests.monitoring.conftest import Ask, tell

COLUMN = "mean_radius"


def test_a_classifiers_quality_is_estimated_without_outcomes(model: RegisteredModel, ask: Ask) -> None:
    ask(60)
    (found,) = quality_report(model=model, period=period_of(), metric="accuracy").versions
    assert found.realized == {}
    assert 0.8 < found.estimated["accuracy"].value <= 1
    assert "CBPE" in found.assumptions
    assert "concept drift" in found.assumptions


def test_both_lines_are_there_once_outcomes_are_known(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(30), wrong=True)
    (trend,) = quality_report(model=model, period=period_of(), metric="accuracy").trends
    (step,) = trend.steps
    assert step.realized is not None
    assert step.estimated is not None
    assert step.realized.value == 0 < step.estimated.value


def test_a_regressions_losses_are_estimated_hour_by_hour_and_anew_when_rows_come(in_tenant: Tenant) -> None:
    champion = make_champion(make_model(data="diabetes"))
    model = champion.model
    predict(model=model, rows=rows_of(champion, 20), by=SYSTEM)
    roll_up()
    estimated = estimate_losses(model=model)
    (found,) = quality_report(model=model, period=period_of(), metric="mae").versions
    if champion.holdout_rows < 100:
        assert (estimated, found.estimated) == (0, {})
        return
    assert (estimated, estimate_losses(model=model)) == (1, 0)
    assert found.estimated["mae"].value == pytest.approx(champion.metrics["mae"], rel=0.5)
    assert "DLE" in found.assumptions
    predict(model=model, rows=rows_of(champion, 5), by=SYSTEM)
    roll_up()
    assert estimate_losses(model=model) == 1
    assert Rollup.objects.get().estimate["rows"] == 25


def test_calibration_is_that_of_the_rows(model: RegisteredModel, ask: Ask) -> None:
    predictions = ask(40)
    tell(predictions)
    (found,) = calibration_reports(model=model, period=period_of())
    sure = [max((row.probabilities or {}).values()) for row in predictions]
    assert found.rows == 40
    assert found.error == pytest.approx(1 - sum(sure) / 40, abs=1e-6)
    assert set(found.classes) == {"benign", "malignant"}
    assert all(sum(one.rows for one in bins) == 40 for bins in found.classes.values())


def test_service_counts_times_engines_and_memory(model: RegisteredModel, ask: Ask) -> None:
    predictions = ask(30)
    Prediction.objects.filter(pk__in=[row.pk for row in predictions[:10]]).update(cached=True)
    found = service_report(model=model, period=period_of())
    assert (found.predictions, found.cached, sum(found.versions[0].engines.values())) == (30, 10, 30)
    assert found.latency.p50_ms is not None
    assert found.latency.p99_ms is not None
    assert 0 < found.latency.p50_ms <= found.latency.p99_ms
    assert [step.predictions for step in found.steps] == [30]


def test_usage_tells_who_asked_which_model_on_which_day(model: RegisteredModel, ask: Ask) -> None:
    rows = ask(12)
    Prediction.objects.filter(pk__in=[row.pk for row in rows[:5]]).update(asked_by="api key ward")
    (most, least) = usage_of(period=period_of(), model=model)
    assert (least.caller, least.predictions, least.model) == ("api key ward", 5, "cancer")
    assert (most.predictions, most.day) == (7, timezone.now().date())
    assert usage_of(period=period_of()) == [most, least]


def test_data_quality_finds_numbers_beyond_the_training_data_and_repeats(
    champion: ModelVersion, model: RegisteredModel
) -> None:
    rows: list[dict[str, Any]] = rows_of(champion, 40, start=100)
    rows = [{**row, COLUMN: row[COLUMN] if place % 2 else 1e6} for place, row in enumerate(rows)]
    predict(model=model, rows=[*rows, *rows[:10]], by=SYSTEM)
    found = data_report(model=model, period=period_of())
    assert found is not None
    assert (found.rows, found.before) == (50, 0)
    assert found.repeated == pytest.approx(0.2)
    worst = found.columns[0]
    assert (worst.column, worst.missing, worst.high, worst.changed) == (COLUMN, 0.0, 0.5, ["high"])
    assert not any(one.changed for one in found.columns[1:])
    assert found.age_seconds is not None
    assert found.age_seconds < 600


def test_slices_are_counted_from_then_on_and_corrections_stay_right(model: RegisteredModel, ask: Ask) -> None:
    old = ask(10)
    tell(old)
    roll_up()
    names = set_slices(model=model, slices={COLUMN: [15]}, by=SYSTEM)
    assert names == {COLUMN: ["below 15", "15 and above", "missing"]} == slices_named(model)
    tell(old, wrong=True)  # taken away from the whole alone: no slice has them
    new = ask(30)
    tell(new)
    below = [row for row in new if row.features[COLUMN] < 15]
    assert 0 < len(below) < 30
    part = Part(COLUMN, "below 15")
    (found,) = quality_report(model=model, period=period_of(), part=part).versions
    assert (found.predictions, found.labelled) == (len(below), len(below))
    assert found.realized["accuracy"].value == 1.0
    assert found.estimated
    tell(below[:1], wrong=True)
    (found,) = quality_report(model=model, period=period_of(), part=part).versions
    assert found.realized["accuracy"].value == pytest.approx(1 - 1 / len(below))
    (whole,) = quality_report(model=model, period=period_of()).versions
    assert whole.labelled == 40


@pytest.mark.parametrize(
    ("slices", "told"),
    [
        ({"nonsense": []}, "no column"),
        ({COLUMN: ["many"]}, "must be numbers"),
        ({COLUMN: [float("inf")]}, "finite"),
        ({COLUMN: list(range(20))}, "20 slices"),
        ({COLUMN: [1.0, 1.0000001]}, "close together"),
    ],
)
def test_slices_that_cannot_be_are_refused(model: RegisteredModel, slices: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidSlices, match=told):
        set_slices(model=model, slices=slices, by=SYSTEM)
    with pytest.raises(InvalidSlices, match="At most 5"):
        set_slices(model=model, slices=dict.fromkeys("abcdef", ()), by=SYSTEM)


def test_groups_that_fare_differently_are_told_apart(model: RegisteredModel, ask: Ask) -> None:
    model.gates = {"fairness_gap": {"column": COLUMN, "gap": 0.2}}
    model.save(update_fields=["gates"])
    set_slices(model=model, slices={COLUMN: [13]}, by=SYSTEM)
    rows = ask(150)
    below = [row for row in rows if row.features[COLUMN] < 13]
    tell([row for row in rows if row.features[COLUMN] >= 13])
    tell(below, wrong=True)
    (report,) = fairness_reports(model=model, period=period_of())
    assert {group.value for group in report.groups} == {"below 13", "13 and above"}
    (gap,) = report.gaps
    assert (gap.highest, gap.lowest, gap.proven, gap.allowed) == ("13 and above", "below 13", True, 0.2)


def test_the_three_rates_are_told_of_a_favourable_answer(model: RegisteredModel, ask: Ask) -> None:
    model.gates = {"fairness_gap": {"column": COLUMN, "measure": "selection_rate", "favourable": "benign"}}
    model.save(update_fields=["gates"])
    set_slices(model=model, slices={COLUMN: [13]}, by=SYSTEM)
    rows = ask(150)
    tell(rows)
    (report,) = fairness_reports(model=model, period=period_of())
    below = [row for row in rows if row.features[COLUMN] < 13]
    (group,) = [one for one in report.groups if one.value == "below 13"]
    share = sum(row.label == "benign" for row in below) / len(below)
    assert group.figures["selection_rate"].value == pytest.approx(share)
    assert {gap.measure for gap in report.gaps} >= {"selection_rate"}


def test_a_period_before_anything_is_empty(model: RegisteredModel, ask: Ask) -> None:
    tell(ask(5))
    past = period_of(timezone.now() - timedelta(days=30), timezone.now() - timedelta(days=20))
    report = quality_report(model=model, period=past)
    assert [(one.predictions, one.realized, one.estimated) for one in report.versions] == [(0, {}, {})]
    assert usage_of(period=past) == []
    assert service_report(model=model, period=past).steps == []


def test_outcomes_of_an_unknown_kind_leave_no_trace(in_tenant: Tenant) -> None:
    champion = make_champion(make_model(data="diabetes"))
    rows = predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM).predictions
    record_outcomes(items=[OutcomeItem(rows[0].pk, 1.0)], source="api", by=SYSTEM)
    assert calibration_reports(model=champion.model, period=period_of()) == []
