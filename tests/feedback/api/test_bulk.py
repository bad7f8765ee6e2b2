"""Outcomes in bulk over REST."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from feedback.models import Outcome
from mlplatform.tenancy.models import Tenant
from registry.models import Prediction
from tests.conftest import ApiFor

URL = "/api/v1/outcomes/bulk"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key that may give outcomes and read."""
    return api_for(tenant, "feedback", "read")


def post(client: APIClient, lines: str, kind: str = "text/csv", query: str = "") -> Any:
    return client.generic("POST", f"{URL}{query}", lines, kind)


def lines_of(predictions: list[Prediction], label: str = "benign") -> str:
    return "prediction_id,outcome\n" + "".join(f"{one.pk},{label}\n" for one in predictions)


def test_csv_lines_are_recorded_and_repeating_them_changes_nothing(
    client: APIClient, predictions: list[Prediction]
) -> None:
    told = [post(client, lines_of(predictions)).json() for _ in range(2)]
    assert [(one["accepted"], one["repeated"]) for one in told] == [(4, 0), (0, 4)]
    assert Outcome.objects.count() == 4


@pytest.mark.parametrize("kind", ["application/x-ndjson", "application/jsonl"])
def test_json_lines_are_recorded(client: APIClient, predictions: list[Prediction], kind: str) -> None:
    lines = "".join(json.dumps({"prediction": str(one.pk), "value": "benign"}) + "\n" for one in predictions)
    assert post(client, lines, kind).json()["accepted"] == 4


def test_wrong_lines_are_told_by_number(client: APIClient, predictions: list[Prediction]) -> None:
    lines = lines_of(predictions) + "nonsense,benign\n"
    refused = post(client, lines)
    assert (refused.status_code, refused.json()["errors"][0]["index"]) == (422, 4)
    assert not Outcome.objects.exists()
    assert post(client, lines, query="?preview=true").status_code == 200
    assert not Outcome.objects.exists()
    told = post(client, lines, query="?partial=true").json()
    assert (told["accepted"], told["refused"]) == (4, 1)


@pytest.mark.parametrize(
    ("lines", "kind", "status"),
    [("", "text/csv", 422), ("{}", "application/json", 415), ("a,b\n1,2\n", "text/csv", 422)],
)
def test_a_body_of_another_form_is_refused(
    client: APIClient, tenant: Tenant, lines: str, kind: str, status: int
) -> None:
    assert post(client, lines, kind).status_code == status


@pytest.mark.parametrize("name", ["prediction", "model", "entity_key"])
@pytest.mark.parametrize("text", ["\\u0000", "\\ud800"])
def test_texts_that_nothing_can_store_are_refused(
    client: APIClient, predictions: list[Prediction], name: str, text: str
) -> None:
    told = {"entity_key": "x", "model": "cancer", "value": "benign", name: "TEXT"}
    if name == "prediction":
        del told["entity_key"]
    line = json.dumps(told).replace("TEXT", text)
    assert post(client, line, "application/x-ndjson").status_code == 422


def test_an_unknown_parameter_is_refused(client: APIClient, predictions: list[Prediction]) -> None:
    assert post(client, lines_of(predictions), query="?parts=true").status_code == 400


def test_the_delay_of_labels_is_told(client: APIClient, predictions: list[Prediction]) -> None:
    empty = client.get("/api/v1/models/cancer/label-delay").json()
    assert empty == {"model": "cancer", "count": 0, "median_seconds": None, "p90_seconds": None}
    post(client, lines_of(predictions))
    assert 0 < client.get("/api/v1/models/cancer/label-delay").json()["median_seconds"] < 60
