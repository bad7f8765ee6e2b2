"""Labelled predictions as frames."""

from datetime import timedelta

import pytest

from feedback.frames import labelled_features, labelled_frame
from feedback.models import Outcome
from feedback.services.outcomes import OutcomeItem, record_outcomes
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.models import ModelVersion, Prediction
from tests.factories import make_model, make_version


def label(predictions: list[Prediction], value: object = "benign") -> None:
    items = [OutcomeItem(str(prediction.pk), value) for prediction in predictions]
    record_outcomes(items=items, source="api", by=SYSTEM)


def test_answers_stand_beside_what_happened(champion: ModelVersion, predictions: list[Prediction]) -> None:
    label(predictions[:3])
    frame = labelled_frame(champion.model)
    assert list(frame["prediction_id"]) == [prediction.pk for prediction in predictions[:3]]
    assert list(frame["predicted"]) == [prediction.label for prediction in predictions[:3]]
    assert list(frame["actual"]) == ["benign"] * 3
    both = frame["p_benign"] + frame["p_malignant"]
    assert both.tolist() == pytest.approx([1, 1, 1])


def test_a_corrected_outcome_counts_once(champion: ModelVersion, predictions: list[Prediction]) -> None:
    label(predictions[:1])
    label(predictions[:1], "malignant")
    assert list(labelled_frame(champion.model)["actual"]) == ["malignant"]


def test_the_window_is_that_of_the_predictions(champion: ModelVersion, predictions: list[Prediction]) -> None:
    label(predictions)
    first, second = predictions[0].created_at, predictions[1].created_at
    assert len(labelled_frame(champion.model, since=first, until=second)) == 1
    assert len(labelled_frame(champion.model, since=second)) == 3
    assert len(labelled_frame(champion.model, until=first)) == 0


def test_other_versions_and_models_stay_out(champion: ModelVersion, predictions: list[Prediction]) -> None:
    label(predictions)
    assert len(labelled_frame(champion.model, version=make_version(champion.model))) == 0
    assert len(labelled_frame(make_model("other"))) == 0


def test_numbers_have_no_probabilities(number: Prediction) -> None:
    label([number], 99)
    frame = labelled_frame(number.model)
    assert frame["actual"].tolist() == [99.0]
    assert not [name for name in frame.columns if name.startswith("p_")]


def test_features_come_with_the_target_for_retraining(
    champion: ModelVersion, predictions: list[Prediction]
) -> None:
    label(predictions[:2], "malignant")
    frame = labelled_features(champion.model)
    assert set(frame.columns) == {*predictions[0].features, "diagnosis"}
    assert frame["mean_radius"].tolist() == [row.features["mean_radius"] for row in predictions[:2]]
    assert frame["diagnosis"].tolist() == ["malignant"] * 2


def test_features_since_a_moment_follow_the_outcomes(
    champion: ModelVersion, predictions: list[Prediction]
) -> None:
    label(predictions[:1])
    received = Outcome.objects.get().received_at
    assert len(labelled_features(champion.model, since=received)) == 1
    assert len(labelled_features(champion.model, since=received + timedelta(seconds=1))) == 0


def test_nothing_labelled_is_an_empty_frame(in_tenant: Tenant) -> None:
    model = make_model()
    assert labelled_frame(model).empty
    assert labelled_features(model).columns.tolist() == ["diagnosis"]
