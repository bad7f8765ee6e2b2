"""Held outcomes, ratings, and reports that are sent twice, over REST."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import HeldOutcome, Outcome
from mlplatform.tenancy.models import Tenant
from registry.models import KeptAnswer, Prediction
from registry.models.prediction import time_ordered_uuid
from tests.conftest import ApiFor

OUTCOMES, BULK = "/api/v1/outcomes", "/api/v1/outcomes/bulk"
KEY = {"Idempotency-Key": "the first of March"}


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key that may give outcomes and read."""
    return api_for(tenant, "feedback", "read")


def send(client: APIClient, lines: str, query: str = "", **headers: str) -> Any:
    return client.generic("POST", f"{BULK}{query}", lines, "text/csv", headers=headers)


def test_an_unknown_id_is_told_to_wait_and_listed(client: APIClient, predictions: list[Prediction]) -> None:
    key = str(time_ordered_uuid())
    body = {"outcomes": [{"prediction": str(predictions[0].pk), "value": "benign"}]}
    body["outcomes"].append({"prediction": key, "value": "benign"})
    told = client.post(OUTCOMES, body).json()
    assert (told["accepted"], told["held"], told["refused"]) == (1, 1, 0)
    assert told["waiting"] == [{"index": 1, "prediction_id": key}]
    [listed] = client.get("/api/v1/held-outcomes", {"state": "waiting"}).json()["results"]
    assert (listed["prediction"], listed["value"], listed["state"]) == (key, "benign", "waiting")
    assert client.get("/api/v1/held-outcomes/counts").json() == {"waiting": 1, "expired": 0, "refused": 0}


def test_lines_wait_or_are_refused_as_the_client_wants(
    client: APIClient, predictions: list[Prediction]
) -> None:
    lines = f"prediction_id,outcome\n{time_ordered_uuid()},benign\n"
    assert send(client, lines, "?hold=false").json()["errors"][0]["code"] == "unknown_prediction"
    assert send(client, lines, "?preview=true").json()["held"] == 1
    assert not HeldOutcome.objects.exists()
    told = send(client, lines).json()
    assert (told["held"], told["waiting"][0]["index"]) == (1, 0)


def test_ratings_come_with_lines_and_are_listed(client: APIClient, predictions: list[Prediction]) -> None:
    lines = "".join(f'{one.pk},,{star},"so, so"\n' for star, one in enumerate(predictions, start=1))
    assert send(client, f"prediction_id,outcome,rating,comment\n{lines}").json()["rated"] == 4
    found = client.get("/api/v1/ratings", {"rating": "4"}).json()["results"]
    assert [(one["prediction"], one["comment"]) for one in found] == [(str(predictions[3].pk), "so, so")]
    assert not Outcome.objects.exists()


def test_a_rating_of_one_prediction(client: APIClient, predictions: list[Prediction]) -> None:
    told = client.post(OUTCOMES, {"prediction": str(predictions[0].pk), "rating": "up"})
    assert (told.status_code, told.json()["rated"]) == (201, 1)
    assert client.post(OUTCOMES, {"prediction": str(predictions[0].pk)}).status_code == 400


def test_the_same_report_under_a_key_is_answered_as_before(
    client: APIClient, predictions: list[Prediction]
) -> None:
    lines = "prediction_id,outcome\n" + "".join(f"{one.pk},benign\n" for one in predictions)
    first, again = send(client, lines, **KEY), send(client, lines, **KEY)
    assert (first.json()["accepted"], again.json()) == (4, first.json())
    assert (again.status_code, again["Idempotency-Replayed"]) == (201, "true")
    assert "Idempotency-Replayed" not in first
    other = send(client, lines.replace("benign", "malignant"), **KEY)
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert Outcome.objects.count() == 4


def test_a_report_in_json_is_answered_as_before(client: APIClient, predictions: list[Prediction]) -> None:
    body = {"prediction": str(predictions[0].pk), "value": "benign"}
    first, again = (client.post(OUTCOMES, body, headers=KEY).json() for _ in range(2))
    assert (first["accepted"], again) == (1, first)


def test_a_refused_report_keeps_nothing(client: APIClient, predictions: list[Prediction]) -> None:
    lines = f"prediction_id,outcome\n{predictions[0].pk},cured\n"
    assert send(client, lines, **KEY).status_code == 422
    assert send(client, lines.replace("cured", "benign"), **KEY).json()["accepted"] == 1


def test_what_is_kept_under_a_key_names_nobody(client: APIClient, predictions: list[Prediction]) -> None:
    lines = "entity_key,model,outcome\nAnna,cancer,benign\nBen,cancer,\n"
    told = send(client, lines, "?partial=true", **KEY)
    assert "Anna" in told.content.decode()
    kept = KeptAnswer.objects.get().answer
    assert "Anna" not in kept
    assert "Ben" not in kept
