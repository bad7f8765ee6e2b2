"""Drift checks of a deployed model."""

from datetime import timedelta

from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from monitoring.models import DriftReport
from monitoring.services.drift import check_drift, latest_report
from monitoring.services.windows import check_window
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.promotion import promote, rollback
from tests.factories import make_model, make_version
from tests.monitoring.conftest import Ask


def test_rows_like_the_training_rows_have_not_drifted(model: RegisteredModel, ask: Ask) -> None:
    ask(200)
    report = check_drift(model=model)
    assert report is not None
    assert (report.rows, report.features) == (200, 30)
    assert report.drifted_features <= 1


def test_moved_features_are_found_by_name(model: RegisteredModel, ask: Ask) -> None:
    moved = set(list(ask(40, drifted=12)[0].features)[:12])
    report = check_drift(model=model)
    assert report is not None
    assert report.drifted_features == 12
    drifted = report.results.filter(drifted=True).exclude(feature="prediction")
    assert {result.feature for result in drifted} == moved
    assert all(result.score > result.threshold > 0 for result in drifted)


def test_each_result_keeps_the_windows_counts(model: RegisteredModel, ask: Ask) -> None:
    ask(40)
    report = check_drift(model=model)
    assert report is not None
    for result in report.results.all():
        assert sum(result.current["counts"]) + result.current.get("other", 0) == 40


def test_the_answers_are_watched_but_are_no_feature(model: RegisteredModel, ask: Ask) -> None:
    ask(40)
    report = check_drift(model=model)
    assert report is not None
    assert report.results.filter(feature="prediction").exists()
    assert report.results.count() == report.features + 1


def test_too_few_rows_give_no_verdict(model: RegisteredModel, ask: Ask) -> None:
    ask(29)
    assert check_drift(model=model) is None
    assert not DriftReport.objects.exists()


def test_without_a_champion_there_is_nothing_to_check(in_tenant: Tenant) -> None:
    assert check_drift(model=make_model()) is None


def test_nothing_new_gives_the_last_report_again(model: RegisteredModel, ask: Ask) -> None:
    ask(40)
    first = check_drift(model=model)
    assert check_drift(model=model) == first
    ask(1)
    assert check_drift(model=model) != first
    assert DriftReport.objects.count() == 2


def test_a_new_champion_and_one_rolled_back_to_start_clean(
    model: RegisteredModel, champion: ModelVersion, ask: Ask
) -> None:
    ask(40, drifted=12)
    second = make_version(model)
    promote(model=model, version=second, by=SYSTEM, override=True, reason="test")
    assert check_drift(model=model) is None
    rollback(model=model, by=SYSTEM)
    assert check_drift(model=model) is None


def test_old_predictions_fall_out_of_the_window(model: RegisteredModel, ask: Ask) -> None:
    old = ask(40)
    Prediction.objects.filter(pk__in=[row.pk for row in old]).update(
        created_at=timezone.now() - timedelta(days=8)
    )
    assert check_drift(model=model) is None


def test_the_window_begins_at_the_deployment(model: RegisteredModel, champion: ModelVersion) -> None:
    window = check_window(model)
    assert window is not None
    assert window.start == model.deployments.get().created_at
    assert window.version == champion


def test_the_latest_report_is_that_of_the_model(model: RegisteredModel, ask: Ask) -> None:
    assert latest_report(model) is None
    ask(40)
    report = check_drift(model=model)
    assert latest_report(model) == report
