"""Outcomes over REST."""

import pytest
from rest_framework.test import APIClient

from feedback.models import Outcome
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from registry.models import ModelVersion, Prediction
from registry.services.serving import predict
from tests.conftest import ApiFor
from tests.factories import rows_of

URL = "/api/v1/outcomes"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key with every right."""
    return api_for(tenant)


def test_one_outcome(client: APIClient, predictions: list[Prediction]) -> None:
    answer = client.post(URL, {"prediction": str(predictions[0].pk), "value": "benign"})
    assert (answer.status_code, answer.json()) == (
        201,
        {
            **dict.fromkeys(
                ("repeated", "corrected", "outdated", "rated", "held", "refused", "quarantined"), 0
            ),
            "accepted": 1,
            "waiting": [],
            "errors": [],
        },
    )


def test_many_outcomes(client: APIClient, predictions: list[Prediction]) -> None:
    outcomes = [{"prediction": str(row.pk), "value": "benign"} for row in predictions]
    assert client.post(URL, {"outcomes": outcomes}).json()["accepted"] == 4


def test_an_outcome_of_a_case(client: APIClient, champion: ModelVersion) -> None:
    predict(model=champion.model, rows=rows_of(champion), entity_keys=["patient-17"], by=SYSTEM)
    said = {"entity_key": "patient-17", "value": "benign", "observed_at": None}
    assert client.post(URL, {**said, "model": "cancer"}).json()["accepted"] == 1
    many = {"model": "cancer", "outcomes": [said]}
    assert client.post(URL, many).json()["repeated"] == 1
    assert client.post(URL, said).json()["errors"][0]["code"] == "model_missing"


def test_a_number_for_a_regression(client: APIClient, number: Prediction) -> None:
    assert client.post(URL, {"prediction": str(number.pk), "value": 4.5}).status_code == 201
    assert client.get(URL).json()["results"][0]["value"] == 4.5


def test_wrong_outcomes_are_told_by_index_and_none_is_kept(
    client: APIClient, predictions: list[Prediction]
) -> None:
    outcomes = [
        {"prediction": str(predictions[0].pk), "value": "benign"},
        {"prediction": str(predictions[1].pk), "value": "cured"},
    ]
    answer = client.post(URL, {"outcomes": outcomes})
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_outcomes")
    assert [error["index"] for error in answer.json()["errors"]] == [1]
    assert not Outcome.objects.exists()
    assert client.post(URL, {"outcomes": outcomes, "partial": True}).json()["accepted"] == 1


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"prediction": "x"},
        {"prediction": "x", "entity_key": "y", "value": 1},
        {"outcomes": [{"prediction": "x", "entity_key": "y", "value": 1}]},
        {"value": "benign"},
        {"outcomes": []},
        {"outcomes": [{"prediction": "x"}]},
        {"outcomes": [{"prediction": "x", "value": 1}], "prediction": "x", "value": 1},
        {"prediction": "x", "value": 1, "tenant": 1},
        {"outcomes": "x"},
        [],
    ],
)
def test_a_body_of_another_form_is_a_bad_request(client: APIClient, body: object) -> None:
    answer = client.post(URL, body)
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_the_list_filters(client: APIClient, predictions: list[Prediction], number: Prediction) -> None:
    client.post(URL, {"prediction": str(predictions[0].pk), "value": "benign"})
    client.post(URL, {"prediction": str(predictions[0].pk), "value": "malignant"})
    client.post(URL, {"prediction": str(number.pk), "value": 4.5})
    assert len(client.get(URL).json()["results"]) == 3
    filters = {
        "model=cancer": 2,
        "model=cancer&current=true": 1,
        f"prediction={number.pk}": 1,
        "label=benign": 1,
        "version=2": 0,
        "received_after=2100-01-01T00:00:00Z": 0,
    }
    assert {query: len(client.get(f"{URL}?{query}").json()["results"]) for query in filters} == filters


def test_an_unknown_filter_is_refused(client: APIClient) -> None:
    assert client.get(f"{URL}?prediction__model__tenant=1").status_code == 400


def test_pages_follow_each_other_though_all_came_at_once(
    client: APIClient, predictions: list[Prediction]
) -> None:
    client.post(URL, {"outcomes": [{"prediction": str(row.pk), "value": "benign"} for row in predictions]})
    first = client.get(f"{URL}?limit=3").json()
    second = client.get(first["next"]).json()
    ids = [row["id"] for row in first["results"] + second["results"]]
    assert len(set(ids)) == 4
    assert second["next"] is None


def test_a_key_without_the_scope_is_refused(
    tenant: Tenant, api_for: ApiFor, predictions: list[Prediction]
) -> None:
    body = {"prediction": str(predictions[0].pk), "value": "benign"}
    assert api_for(tenant, "read").post(URL, body).status_code == 403
    assert api_for(tenant, "feedback").post(URL, body).status_code == 201


def test_another_tenant_sees_and_changes_nothing(
    client: APIClient, other_tenant: Tenant, api_for: ApiFor, predictions: list[Prediction]
) -> None:
    body = {"prediction": str(predictions[0].pk), "value": "benign"}
    client.post(URL, body)
    stranger, outcome = api_for(other_tenant), Outcome.objects.get()
    assert stranger.get(URL).json()["results"] == []
    assert stranger.get(f"{URL}/{outcome.pk}").status_code == 404
    told = stranger.post(URL, {**body, "hold": False}).json()
    assert told["errors"][0]["code"] == "unknown_prediction"
