"""Asking a model over REST."""

import json
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import ModelVersion, Prediction
from registry.privacy.pseudonyms import is_pseudonym
from registry.services.loading import CACHE
from tests.conftest import ApiFor
from tests.factories import make_champion, make_model, make_version, rows_of

PREDICT = "/api/v1/models/cancer/predict"


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    """The clinic's champion for the model ``cancer``."""
    with tenant_scope(tenant):
        return make_champion()


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client with every scope of the clinic."""
    return api_for(tenant)


def test_one_row_is_answered_and_logged(client: APIClient, champion: ModelVersion, tenant: Tenant) -> None:
    [row] = rows_of(champion)
    answer = client.post(
        PREDICT, {"row": row, "entity_keys": ["case-1"]}, headers={"X-Request-ID": "request-0001"}
    )
    assert answer.status_code == 200
    body = answer.json()
    [given] = body["predictions"]
    assert (body["model"], body["version"], body["request_id"]) == ("cancer", 1, "request-0001")
    assert body["engine"] == "original"
    assert given["label"] in {"benign", "malignant"}
    assert given["value"] is None
    assert sum(given["probabilities"].values()) == pytest.approx(1)
    with tenant_scope(tenant):
        logged = Prediction.objects.get(pk=given["id"])
    assert (logged.features, logged.request_id, logged.engine) == (row, "request-0001", body["engine"])
    assert is_pseudonym(logged.entity_key)
    assert logged.asked_by == "api key test"
    assert logged.latency_ms > 0


def test_many_rows_are_answered_in_order(client: APIClient, champion: ModelVersion) -> None:
    rows = rows_of(champion, 30)
    keys = [f"case-{number}" for number in range(30)]
    body = client.post(PREDICT, {"rows": rows, "entity_keys": keys}).json()
    named = [given["entity_key"] for given in body["predictions"]]
    assert len({*named}) == 30
    assert all(map(is_pseudonym, named))
    log = client.get("/api/v1/predictions", {"limit": 30}).json()["results"]
    assert [given["entity_key"] for given in log] == named[::-1]


def test_a_regression_answers_numbers(client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        rows = rows_of(make_champion(make_model(data="diabetes")), 2)
    for given in client.post("/api/v1/models/diabetes/predict", {"rows": rows}).json()["predictions"]:
        assert isinstance(given["value"], float)
        assert given["label"] is None
        assert given["probabilities"] is None


def test_wrong_rows_are_refused_as_a_whole(client: APIClient, champion: ModelVersion, tenant: Tenant) -> None:
    good, bad = rows_of(champion, 2)
    bad["mean_radus"] = bad.pop("mean_radius")
    bad["mean_area"] = "12.5"
    answer = client.post(PREDICT, {"rows": [good, bad]})
    assert answer.status_code == 422
    assert answer["Content-Type"] == "application/problem+json"
    found = {(error["row"], error["field"], error["code"]) for error in answer.json()["errors"]}
    assert found == {
        (1, "mean_radius", "missing"),
        (1, "mean_radus", "unknown"),
        (1, "mean_area", "wrong_type"),
    }
    with tenant_scope(tenant):
        assert not Prediction.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 400),
        ({"row": {}, "rows": [{}]}, 400),
        ({"rows": {}}, 400),
        ({"rows": []}, 422),
        ({"rows": [1, None, []]}, 422),
        ({"rows": [{}] * 1001}, 422),
        ({"rows": [{}], "tenant": 2}, 400),
        ({"rows": [{}], "version": 99}, 404),
        ({"rows": [{}], "version": 2**70}, 400),
        ({"rows": [{}], "entity_keys": "a"}, 400),
        ({"rows": [{"\x00": "\x00"}], "entity_keys": ["\x00", "b"]}, 422),
        ({"rows": [{"\ud800": 1}]}, 400),
        ({"\ud800": 1}, 400),
    ],
)
def test_hostile_bodies_get_a_clear_answer(
    client: APIClient, champion: ModelVersion, body: dict[str, Any], status: int
) -> None:
    answer = client.generic("POST", PREDICT, json.dumps(body), content_type="application/json")
    assert answer.status_code == status
    assert answer.json()["detail"]


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e400", "1" + "0" * 400, "1" + "0" * 5000])
def test_numbers_that_are_none_are_refused(client: APIClient, champion: ModelVersion, number: str) -> None:
    body = f'{{"row": {{"mean_radius": {number}}}}}'
    answer = client.generic("POST", PREDICT, body, content_type="application/json")
    assert answer.status_code in {400, 422}


def test_an_endless_body_is_refused(client: APIClient, champion: ModelVersion) -> None:
    body = f'{{"row": {{"mean_radius": "{"1" * 10_000_000}"}}}}'
    assert client.generic("POST", PREDICT, body, content_type="application/json").status_code == 413


def test_a_model_without_champion_says_what_to_do(client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        version = make_version()
    answer = client.post(PREDICT, {"rows": rows_in(tenant, version)})
    assert (answer.status_code, answer.json()["code"]) == (409, "no_champion")
    assert "Promote a version first" in answer.json()["detail"]
    assert client.post(PREDICT, {"rows": rows_in(tenant, version), "version": 1}).status_code == 200


def rows_in(tenant: Tenant, version: ModelVersion) -> list[dict[str, Any]]:
    """Rows that fit the version."""
    with tenant_scope(tenant):
        return rows_of(version)


def test_a_tampered_artefact_is_refused_and_audited_once(
    client: APIClient, champion: ModelVersion, tenant: Tenant, settings: Any
) -> None:
    stored = settings.STORAGES["default"]["OPTIONS"]["location"] / champion.artifact_file
    stored.write_bytes(stored.read_bytes()[:-1] + b"!")
    CACHE.clear()
    for _ in range(2):
        answer = client.post(PREDICT, {"rows": rows_in(tenant, champion)})
        assert (answer.status_code, answer.json()["code"]) == (503, "artifact_corrupt")
    with tenant_scope(tenant):
        assert AuditEvent.objects.filter(action="version.artifact_refused").count() == 1


def test_another_tenants_model_is_not_there(
    champion: ModelVersion, other_tenant: Tenant, api_for: ApiFor
) -> None:
    answer = api_for(other_tenant).post(PREDICT, {"rows": [{}]})
    assert (answer.status_code, answer.json()["code"]) == (404, "model_not_found")


def test_predicting_needs_its_own_scope(champion: ModelVersion, tenant: Tenant, api_for: ApiFor) -> None:
    assert api_for(tenant, "read").post(PREDICT, {"rows": [{}]}).status_code == 403


def test_a_prediction_costs_few_queries(client: APIClient, champion: ModelVersion, tenant: Tenant) -> None:
    row = rows_in(tenant, champion)[0]
    client.post(PREDICT, {"row": row})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert client.post(PREDICT, {"row": row}).status_code == 200
    # The model, its champion, whether a rollout runs, and the log.
    assert len([q for q in queries.captured_queries if "registry_" in q["sql"]]) <= 4
