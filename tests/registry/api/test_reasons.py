"""Asking why together with what: the largest contributions beside an answer."""

from typing import Any
from unittest import mock

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.frames import dataset_frame
from registry.models import ModelVersion, Prediction
from registry.services import explanations
from registry.services.personal import mark_model
from tests.conftest import ApiFor
from tests.factories import make_champion, make_model, rows_of

CANCER, DIABETES = "/api/v1/models/cancer/predict", "/api/v1/models/diabetes/predict"


@pytest.fixture
def client(in_tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(in_tenant)


@pytest.fixture
def champion(in_tenant: Tenant) -> ModelVersion:
    return make_champion()


def reasons(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.content
    return [one["explanation"] for one in answer.json()["predictions"]]


def test_each_row_tells_its_largest_contributions_in_numbers_and_words(
    client: APIClient, champion: ModelVersion
) -> None:
    rows = rows_of(champion, 5)
    body = client.post(CANCER, {"rows": rows, "explain": True}).json()
    for row, one in zip(rows, body["predictions"], strict=True):
        why = one["explanation"]
        assert why["explained"] == one["label"]
        assert why["answer"] == pytest.approx(one["probabilities"][one["label"]], abs=1e-3)
        effects = [part["effect"] for part in why["contributions"]]
        assert len(effects) == 5
        assert [abs(effect) for effect in effects] == sorted(map(abs, effects), reverse=True)
        assert why["base"] + sum(effects) + why["others"] == pytest.approx(why["answer"])
        first = why["contributions"][0]["feature"]
        way = "up" if effects[0] >= 0 else "down"
        assert why["sentences"][0] == f"{first} {row[first]:.4g} pushes {way} by {abs(effects[0]):.3g}"
    assert Prediction.objects.count() == 5


def test_how_many_are_told_can_be_chosen_and_nothing_comes_unasked(
    client: APIClient, champion: ModelVersion
) -> None:
    [row] = rows_of(champion)
    for asked, told in (({}, None), ({"explain": True, "top": 2}, 2), ({"explain": True, "top": 50}, 30)):
        [why] = reasons(client.post(CANCER, {"row": row, **asked}))
        assert (why and len(why["contributions"])) == told


def test_the_same_row_is_explained_alike_and_near_to_the_explanation_by_itself(
    client: APIClient, champion: ModelVersion
) -> None:
    [row] = rows_of(champion)
    asked = {"row": row, "explain": True, "top": 30}
    [first], [second] = (reasons(client.post(CANCER, asked)) for _ in range(2))
    assert first == second
    alone = client.post("/api/v1/models/cancer/explain", {"row": row}).json()
    exact = {part["feature"]: part["effect"] for part in alone["contributions"]}
    for part in first["contributions"]:
        assert part["effect"] == pytest.approx(exact[part["feature"]], abs=0.12)


def test_a_number_is_explained_in_its_own_unit(client: APIClient, in_tenant: Tenant) -> None:
    [row] = rows_of(make_champion(make_model(data="diabetes")))
    body = client.post(DIABETES, {"row": row, "explain": True}).json()
    [one] = body["predictions"]
    assert one["explanation"]["explained"] is None
    assert one["explanation"]["answer"] == pytest.approx(one["value"])


def test_values_of_personal_columns_are_not_told(client: APIClient, champion: ModelVersion) -> None:
    [row] = rows_of(champion)
    mark_model(model=champion.model, changes={"mean_radius": "pseudonymise"}, by=SYSTEM)
    [why] = reasons(client.post(CANCER, {"row": row, "explain": True, "top": 50}))
    assert [text for text in why["sentences"] if text.startswith("mean_radius (personal) pushes")]


def test_what_is_usual_is_read_once_in_a_process(client: APIClient, champion: ModelVersion) -> None:
    explanations.USUAL.clear()
    asked = {"row": rows_of(champion)[0], "explain": True}
    with mock.patch.object(explanations, "dataset_frame", wraps=dataset_frame) as read:
        for _ in range(3):
            reasons(client.post(CANCER, asked))
    assert read.call_count == 1


def test_too_many_rows_are_refused_and_nothing_is_logged(client: APIClient, champion: ModelVersion) -> None:
    rows = rows_of(champion, 101)
    refused = client.post(CANCER, {"rows": rows, "explain": True})
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "too_many")
    assert not Prediction.objects.exists()
    assert len(reasons(client.post(CANCER, {"rows": rows[:100], "explain": True}))) == 100


@pytest.mark.parametrize("extra", [{"top": 3}, {"explain": True, "top": 0}, {"explain": True, "top": 51}])
def test_senseless_wishes_are_refused(
    client: APIClient, champion: ModelVersion, extra: dict[str, Any]
) -> None:
    refused = client.post(CANCER, {"row": rows_of(champion)[0], **extra})
    assert refused.status_code == 400
    assert "top" in refused.json()["errors"]


def test_probabilities_can_be_left_out_of_the_answer(client: APIClient, champion: ModelVersion) -> None:
    body = client.post(CANCER, {"row": rows_of(champion)[0], "probabilities": False}).json()
    assert body["predictions"][0]["probabilities"] is None
    assert Prediction.objects.get().probabilities
