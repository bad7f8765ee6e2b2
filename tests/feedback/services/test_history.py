"""Which of several outcomes of one prediction counts, and what is kept of the others."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from feedback.errors import InvalidOutcomes
from feedback.models import Outcome
from feedback.services.delays import label_delay
from feedback.services.outcomes import OutcomeItem, OutcomeResult, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from registry.models import Prediction

DAY = timedelta(days=1)


def send(prediction: Prediction, *told: tuple[str, datetime | str | None]) -> OutcomeResult:
    items = [OutcomeItem(prediction.pk, value, observed_at=when) for value, when in told]
    return record_outcomes(items=items, source="api", by=SYSTEM)


def kept() -> list[tuple[str, bool]]:
    return list(Outcome.objects.order_by("pk").values_list("label", "current"))


def test_what_was_observed_later_counts_whatever_came_first(predictions: list[Prediction]) -> None:
    now = timezone.now()
    send(predictions[0], ("malignant", now))
    assert send(predictions[0], ("benign", now - DAY)) == OutcomeResult(accepted=1, outdated=1)
    assert kept() == [("malignant", True), ("benign", False)]


def test_repeating_reports_after_a_correction_changes_nothing(predictions: list[Prediction]) -> None:
    first, second = timezone.now() - DAY, timezone.now()
    send(predictions[0], ("benign", first))
    send(predictions[0], ("malignant", second))
    assert send(predictions[0], ("benign", first)) == OutcomeResult(repeated=1)
    assert send(predictions[0], ("malignant", second)) == OutcomeResult(repeated=1)
    assert kept() == [("benign", False), ("malignant", True)]


def test_one_report_may_tell_a_whole_history(predictions: list[Prediction]) -> None:
    now = timezone.now()
    result = send(predictions[0], ("benign", now), ("malignant", now - DAY))
    assert result == OutcomeResult(accepted=2, corrected=1)
    assert Outcome.objects.get(current=True).label == "benign"


def test_a_newer_observation_of_the_same_value_is_no_correction(predictions: list[Prediction]) -> None:
    now = timezone.now()
    send(predictions[0], ("benign", now - 2 * DAY))
    assert send(predictions[0], ("benign", now)) == OutcomeResult(accepted=1)
    assert send(predictions[0], ("malignant", now - DAY)).outdated == 1
    assert Outcome.objects.get(current=True).observed_at == now


def test_a_time_without_an_offset_is_utc(predictions: list[Prediction]) -> None:
    send(predictions[0], ("benign", "2026-03-01T09:30:00"))
    assert Outcome.objects.get().observed_at == datetime(2026, 3, 1, 9, 30, tzinfo=UTC)


@pytest.mark.parametrize("when", ["yesterday", "2999-01-01", "0001-01-01T00:00:00+12:00", "1066-10-14"])
def test_what_is_no_time_that_has_been_is_refused(predictions: list[Prediction], when: str) -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        send(predictions[0], ("benign", when))
    assert caught.value.errors[0]["code"] == "invalid_time"


def test_two_values_of_one_time_contradict_each_other(predictions: list[Prediction]) -> None:
    now = timezone.now()
    with pytest.raises(InvalidOutcomes) as caught:
        send(predictions[0], ("benign", now), ("malignant", now))
    assert caught.value.errors[0]["code"] == "contradiction"


def test_the_delay_is_from_the_prediction_to_its_first_outcome(predictions: list[Prediction]) -> None:
    model = predictions[0].model
    assert label_delay(model).median_seconds is None
    for days, prediction in enumerate(predictions, start=1):
        Prediction.objects.filter(pk=prediction.pk).update(created_at=timezone.now() - days * DAY)
        send(prediction, ("benign", None))
    send(predictions[3], ("malignant", None))
    found = label_delay(model)
    assert found.count == 4
    assert found.median_seconds == pytest.approx(2.5 * 86_400, rel=1e-3)
    assert found.p90_seconds == pytest.approx(3.7 * 86_400, rel=1e-3)
