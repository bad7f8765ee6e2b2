"""Outcomes that name their case by the client's own key."""

from datetime import timedelta

import pytest
from django.utils import timezone

from feedback.errors import InvalidOutcomes
from feedback.models import Outcome
from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.services.settings import change_settings
from registry.models import ModelVersion, Prediction
from registry.services.serving import predict
from tests.factories import rows_of

DAY = timedelta(days=1)


@pytest.fixture
def asked(champion: ModelVersion) -> list[Prediction]:
    """A case that was asked about twenty, ten and five days ago."""
    keys = ["patient-17"] * 3
    answered = predict(model=champion.model, rows=rows_of(champion, 3), entity_keys=keys, by=SYSTEM)
    for one, days in zip(answered.predictions, (20, 10, 5), strict=True):
        Prediction.objects.filter(pk=one.pk).update(created_at=timezone.now() - days * DAY)
    return answered.predictions


def send(days_ago: float | None, **named: str) -> None:
    observed = None if days_ago is None else timezone.now() - days_ago * DAY
    told = {"entity_key": "patient-17", "model": "cancer", **named}
    item = OutcomeItem("", "benign", observed_at=observed, **told)
    record_outcomes(items=[item], source="api", by=SYSTEM, hold_unknown=False)


@pytest.mark.parametrize(("days_ago", "place"), [(None, 2), (7, 1), (15, 0)])
def test_it_counts_for_the_newest_prediction_before_it(
    asked: list[Prediction], days_ago: float | None, place: int
) -> None:
    send(days_ago)
    assert Outcome.objects.get().prediction_id == asked[place].pk


def test_a_prediction_from_before_the_window_is_not_meant(asked: list[Prediction]) -> None:
    change_settings(changes={"outcome_match_days": 2}, by=SYSTEM)
    with pytest.raises(InvalidOutcomes) as caught:
        send(7)
    assert caught.value.errors[0]["code"] == "unknown_prediction"
    send(9)
    assert Outcome.objects.get().prediction_id == asked[1].pk


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ({"model": ""}, "model_missing"),
        ({"model": "other"}, "unknown_model"),
        ({"model": "a\0b"}, "unknown_model"),
        ({"entity_key": "a\0b"}, "invalid_entity_key"),
        ({"entity_key": " "}, "invalid_entity_key"),
        ({"entity_key": "patient-18"}, "unknown_prediction"),
    ],
)
def test_what_names_no_case_is_refused(asked: list[Prediction], named: dict[str, str], code: str) -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        send(None, **named)
    assert caught.value.errors[0]["code"] == code
    assert not Outcome.objects.exists()


def test_an_id_of_another_model_than_the_named_one_is_refused(
    asked: list[Prediction], number: Prediction
) -> None:
    item = OutcomeItem(number.pk, 3, model="cancer")
    with pytest.raises(InvalidOutcomes) as caught:
        record_outcomes(items=[item], source="api", by=SYSTEM)
    assert caught.value.errors[0]["code"] == "other_model"
