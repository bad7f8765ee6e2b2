"""Predictions and outcomes are counted by hour, each exactly once."""

from datetime import datetime, timedelta

import pandas as pd
import pytest
from django.utils import timezone

from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from monitoring.models import Rollup
from monitoring.services.rollups import RolledUp, roll_up
from monitoring.services.sums import sums_between
from registry.models import ModelVersion, Prediction
from registry.services.promotion import promote
from registry.services.serving import predict
from registry.tabular.histograms import count_on
from tests.factories import make_champion, make_model, make_version, rows_of
from tests.monitoring.conftest import Ask, tell


def moved(predictions: list[Prediction], when: datetime) -> None:
    """Have the predictions made at another time."""
    Prediction.objects.filter(pk__in=[row.pk for row in predictions]).update(created_at=when)


def total(champion: ModelVersion) -> tuple[int, int]:
    now = timezone.now()
    sums = sums_between(champion, now - timedelta(days=9), now + timedelta(hours=1))
    return sums.predictions, sums.labelled


def test_each_row_is_counted_once_however_often_one_counts(champion: ModelVersion, ask: Ask) -> None:
    tell(ask(40)[:10])
    assert roll_up(batch=7) == RolledUp(40, 10)
    assert roll_up() == RolledUp(0, 0)
    assert total(champion) == (40, 10)
    ask(5)
    roll_up()
    assert total(champion) == (45, 10)


def test_the_counts_are_those_of_the_rows(champion: ModelVersion, ask: Ask) -> None:
    predictions = ask(60)
    roll_up(batch=25)
    now = timezone.now()
    sums = sums_between(champion, now - timedelta(hours=2), now + timedelta(hours=1))
    answers = sums.columns["prediction"]
    labels = [row.label for row in predictions]
    assert dict(zip(answers["categories"], answers["counts"], strict=True)) == {
        label: labels.count(label) for label in answers["categories"]
    }
    name = next(name for name in sums.columns if name != "prediction")
    values = [row.features[name] for row in predictions]
    assert sums.columns[name] == count_on(champion.reference[name], pd.Series(values))
    assert Rollup.objects.get().service["engine"] == {predictions[0].engine: 60}


def test_rows_of_different_hours_lie_apart_and_late_ones_join_theirs(
    champion: ModelVersion, ask: Ask
) -> None:
    earlier = timezone.now().replace(minute=10) - timedelta(hours=30)
    moved(ask(10), earlier)
    ask(5)
    roll_up()
    assert sorted(Rollup.objects.values_list("predictions", flat=True)) == [5, 10]
    moved(ask(3), earlier)
    roll_up()
    assert Rollup.objects.get(begins=earlier.replace(minute=0, second=0, microsecond=0)).predictions == 13


def test_a_corrected_outcome_takes_the_place_of_the_first(champion: ModelVersion, ask: Ask) -> None:
    predictions = ask(10)
    tell(predictions)
    roll_up()
    tell(predictions[:4], wrong=True)
    assert roll_up() == RolledUp(0, 8)  # four taken away, four new
    rollup = Rollup.objects.get()
    counted = {
        (true, answer): count
        for true, row in rollup.quality["confusion"].items()
        for answer, count in row.items()
    }
    assert sum(count for (true, answer), count in counted.items() if true != answer) == 4
    assert (rollup.labelled, sum(counted.values())) == (10, 10)


def test_an_outcome_corrected_before_it_was_counted_counts_once(champion: ModelVersion, ask: Ask) -> None:
    predictions = ask(4)
    tell(predictions)
    tell(predictions, wrong=True)
    assert roll_up() == RolledUp(4, 4)
    assert roll_up() == RolledUp(0, 0)


def test_what_was_counted_stays_when_the_rows_are_gone(champion: ModelVersion, ask: Ask) -> None:
    tell(ask(12))
    roll_up()
    Prediction.objects.all().delete()
    assert roll_up() == RolledUp(0, 0)
    assert total(champion) == (12, 12)


def test_an_hour_is_cut_where_the_champion_changes(champion: ModelVersion, ask: Ask) -> None:
    ask(10)
    second = make_version(champion.model)
    promote(model=champion.model, version=second, by=SYSTEM, override=True, reason="test")
    cut = champion.model.deployments.first()
    assert cut is not None
    predict(model=champion.model, rows=rows_of(champion, 4), by=SYSTEM, version=champion.number)
    roll_up()
    parts = Rollup.objects.filter(version=champion).order_by("begins")
    assert [one.predictions for one in parts] == [10, 4]
    assert parts[1].begins == cut.created_at


def test_a_failure_counts_nothing_and_marks_nothing(
    champion: ModelVersion, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(6)
    with monkeypatch.context() as patched:
        patched.setattr("monitoring.services.rollups.service_counts", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            roll_up()
    assert not Rollup.objects.filter(predictions__gt=0).exists()
    assert roll_up() == RolledUp(6, 0)


def test_numbers_are_tallied_as_numbers(in_tenant: Tenant) -> None:
    champion = make_champion(make_model(data="diabetes"))
    rows = predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM).predictions
    items = [OutcomeItem(row.pk, (row.value or 0) + 10) for row in rows]
    record_outcomes(items=items, source="api", by=SYSTEM)
    roll_up()
    assert Rollup.objects.get().quality["absolute"] == pytest.approx(30)
