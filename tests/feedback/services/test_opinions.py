"""Ratings and comments beside outcomes."""

import pytest

from feedback.errors import InvalidOutcomes
from feedback.models import Outcome, Rating
from feedback.services.opinions import LONGEST_COMMENT
from feedback.services.outcomes import OutcomeItem, OutcomeResult, record_outcomes
from feedback.services.subjects import export_subject
from mlplatform.tenancy.actors import SYSTEM, Actor, ActorKind
from mlplatform.tenancy.services.settings import change_settings
from registry.models import ModelVersion, Prediction
from registry.services.serving import predict
from tests.factories import rows_of


def send(
    prediction: Prediction, value: object = None, *, by: Actor = SYSTEM, **told: object
) -> OutcomeResult:
    item = OutcomeItem(prediction.pk, value, **told)  # type: ignore[arg-type]
    return record_outcomes(items=[item], source="api", by=by)


def kept() -> list[tuple[str, str, bool]]:
    return list(Rating.objects.order_by("pk").values_list("rating", "comment", "current"))


@pytest.mark.parametrize(
    ("given", "stored"), [(4, "4"), ("5", "5"), (3.0, "3"), ("UP", "up"), ("down", "down")]
)
def test_a_rating_is_stored_without_an_outcome(
    given: object, stored: str, predictions: list[Prediction]
) -> None:
    assert send(predictions[0], rating=given) == OutcomeResult(rated=1)
    assert kept() == [(stored, "", True)]
    assert not Outcome.objects.exists()


def test_it_comes_beside_an_outcome(predictions: list[Prediction]) -> None:
    assert send(predictions[0], "benign", rating=2, comment=" too sure ") == OutcomeResult(
        accepted=1, rated=1
    )
    assert kept() == [("2", "too sure", True)]


def test_another_opinion_replaces_the_senders_own_and_keeps_it(predictions: list[Prediction]) -> None:
    send(predictions[0], rating=2)
    send(predictions[0], rating=2)
    send(predictions[0], comment="seen again")
    send(predictions[0], rating=5, by=Actor(ActorKind.USER, "somebody", 7))
    assert kept() == [("2", "", False), ("2", "seen again", True), ("5", "", True)]


@pytest.mark.parametrize("wrong", [0, 6, "six", True, [5], 4.5])
def test_what_is_no_rating_is_refused(wrong: object, predictions: list[Prediction]) -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        send(predictions[0], rating=wrong, comment="x")
    assert caught.value.errors[0]["code"] == "invalid_rating"


@pytest.mark.parametrize("wrong", ["x" * (LONGEST_COMMENT + 1), "a\0b", 7])
def test_what_is_no_comment_is_refused(wrong: object, predictions: list[Prediction]) -> None:
    with pytest.raises(InvalidOutcomes) as caught:
        send(predictions[0], "benign", comment=wrong)
    assert caught.value.errors[0]["code"] == "invalid_comment"
    assert not Outcome.objects.exists()


def test_a_tenant_that_wants_no_comments_keeps_ratings_alone(predictions: list[Prediction]) -> None:
    change_settings(changes={"drop_comments": True}, by=SYSTEM)
    send(predictions[0], rating=1, comment="Anna was treated wrongly")
    assert send(predictions[1], comment="So was Ben") == OutcomeResult()
    assert kept() == [("1", "", True)]


def test_a_persons_export_tells_them(champion: ModelVersion) -> None:
    [asked] = predict(
        model=champion.model, rows=rows_of(champion), entity_keys=["patient-17"], by=SYSTEM
    ).predictions
    send(asked, rating=1, comment="wrong side")
    document = "".join(export_subject(key="patient-17", by=SYSTEM).lines)
    assert "wrong side" in document
