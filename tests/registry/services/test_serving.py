"""Answering through the service."""

from typing import Any

import pytest
from sklearn.base import BaseEstimator, ClassifierMixin

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.errors import (
    CannotPredict,
    InvalidRows,
    NoChampion,
    PredictionNotFound,
    VersionNotFound,
    VersionNotReady,
)
from registry.models import ModelVersion, Prediction
from registry.services.promotion import promote, rollback
from registry.services.serving import find_prediction, predict
from tests.factories import make_champion, make_model, make_version, rows_of

pytestmark = pytest.mark.usefixtures("in_tenant")


class FailsLater(ClassifierMixin, BaseEstimator):
    """Answers small samples, as in a smoke test, and fails on more rows."""

    classes_ = ("benign", "malignant")

    def predict(self, rows: Any) -> list[str]:
        """Answer up to five rows."""
        if len(rows) > 5:
            raise ValueError("more than I can take")
        return ["benign"] * len(rows)


def test_a_promotion_counts_from_the_next_request_on() -> None:
    first = make_champion()
    rows = rows_of(first)
    assert predict(model=first.model, rows=rows, by=SYSTEM).version == 1
    promote(model=first.model, version=make_version(first.model), by=SYSTEM)
    assert predict(model=first.model, rows=rows, by=SYSTEM).version == 2
    rollback(model=first.model, by=SYSTEM)
    assert predict(model=first.model, rows=rows, by=SYSTEM).version == 1


def test_answers_are_right_about_real_rows() -> None:
    champion = make_champion()
    answer = predict(model=champion.model, rows=rows_of(champion, 19), by=SYSTEM)
    assert {given.label for given in answer.predictions} == {"malignant"}  # as the pathologists found


def test_a_version_may_be_asked_for_by_number() -> None:
    champion = make_champion()
    other = make_version(champion.model)
    answer = predict(model=champion.model, rows=rows_of(champion), by=SYSTEM, version=other.number)
    assert answer.version == other.number
    with pytest.raises(VersionNotFound):
        predict(model=champion.model, rows=rows_of(champion), by=SYSTEM, version=9)


def test_a_failed_version_does_not_answer() -> None:
    version = make_version(pipeline="not a pipeline")
    with pytest.raises(VersionNotReady):
        predict(model=version.model, rows=rows_of(version), by=SYSTEM, version=1)


def test_a_model_without_champion_does_not_answer() -> None:
    version = make_version()
    with pytest.raises(NoChampion):
        predict(model=version.model, rows=rows_of(version), by=SYSTEM)


def test_a_pipeline_that_fails_is_reported_and_nothing_is_logged() -> None:
    champion = make_champion(pipeline=FailsLater())
    with pytest.raises(CannotPredict, match="more than I can take"):
        predict(model=champion.model, rows=rows_of(champion, 6), by=SYSTEM)
    assert not Prediction.objects.exists()


def test_a_classifier_without_probabilities_answers_labels() -> None:
    champion = make_champion(pipeline=FailsLater())
    [given] = predict(model=champion.model, rows=rows_of(champion), by=SYSTEM).predictions
    assert (given.label, given.probabilities) == ("benign", None)


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        (["a"], "wrong_number"),
        (["a", "b", "c"], "wrong_number"),
        (["a", 1], "wrong_type"),
        (["a", "\x00"], "nul"),
        (["a", "k" * 201], "too_long"),
    ],
)
def test_case_names_that_cannot_be_kept_are_refused(keys: list[Any], code: str) -> None:
    champion = make_champion()
    with pytest.raises(InvalidRows) as refusal:
        predict(model=champion.model, rows=rows_of(champion, 2), by=SYSTEM, entity_keys=keys)
    assert [error["code"] for error in refusal.value.errors] == [code]


@pytest.mark.parametrize("count", [0, 4])
def test_too_few_or_too_many_rows_are_refused(count: int, settings: Any) -> None:
    settings.MAX_PREDICTION_ROWS = 3
    champion = make_champion()
    with pytest.raises(InvalidRows):
        predict(model=champion.model, rows=rows_of(champion, count), by=SYSTEM)
    assert len(predict(model=champion.model, rows=rows_of(champion, 3), by=SYSTEM).predictions) == 3


def test_a_prediction_is_found_in_its_own_tenant_only(other_tenant: Tenant) -> None:
    champion: ModelVersion = make_champion()
    [given] = predict(model=champion.model, rows=rows_of(champion), by=SYSTEM).predictions
    assert find_prediction(given.pk) == given
    with tenant_scope(other_tenant), pytest.raises(PredictionNotFound):
        find_prediction(given.pk)


def test_row_order_is_kept_in_the_log() -> None:
    champion = make_champion(make_model())
    given = predict(model=champion.model, rows=rows_of(champion, 20), by=SYSTEM).predictions
    assert list(Prediction.objects.order_by("created_at")) == given
