"""Rows and outcomes that no client should send, and some do."""

import json
from typing import Any

import pandas as pd
import pytest
from rest_framework.test import APIClient

from feedback.services.joining import join_held
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion, Prediction
from registry.services.datasets import freeze
from tests.factories import make_champion, make_model, table

PREDICT, OUTCOMES = "/api/v1/models/cancer/predict", "/api/v1/outcomes"
Row = dict[str, Any]


def ask(client: APIClient, text: str) -> Any:
    return client.generic("POST", PREDICT, text, content_type="application/json")


def strict(answer: Any) -> Any:
    """Return the body, which must be JSON as the standard has it."""

    def refuse(name: str) -> None:
        pytest.fail(f"{name} in an answer")

    return json.loads(answer.content, parse_constant=refuse)


@pytest.mark.parametrize(
    "number",
    [
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1" + "0" * 400,
        '"1e3"',
        "true",
        '"٣"',
        '"１２"',
        "[]",
        "{}",
        "[1]",
    ],
)
def test_26_what_is_no_number_is_refused_at_its_field(client: APIClient, row: Row, number: str) -> None:
    text = json.dumps({"row": {**row, "mean_radius": "HERE"}}).replace('"HERE"', number)
    answer = ask(client, text)
    assert answer.status_code in {400, 422}
    body = strict(answer)
    if answer.status_code == 422:
        assert {error["field"] for error in body["errors"]} == {"mean_radius"}


@pytest.mark.parametrize("number", ["-0.0", "0", "9223372036854775808", "1e300", "null", "12"])
def test_26_an_odd_number_is_answered_in_strict_json(client: APIClient, row: Row, number: str) -> None:
    text = json.dumps({"row": {**row, "mean_radius": "HERE"}}).replace('"HERE"', number)
    answer = ask(client, text)
    assert answer.status_code in {200, 422}
    strict(answer)


@pytest.mark.parametrize(
    "renamed",
    [
        "Mean_radius",
        "mean_radius ",
        " mean_radius",
        "mean_radıus",
        "mean\u00adradius",
        "mean_radius\u0301",
        "",
    ],
)
def test_27_a_name_that_is_almost_right_is_refused(client: APIClient, row: Row, renamed: str) -> None:
    changed = {renamed if name == "mean_radius" else name: value for name, value in row.items()}
    answer = client.post(PREDICT, {"row": changed})
    assert answer.status_code == 422
    assert {error["code"] for error in answer.json()["errors"]} == {"missing", "unknown"}


def test_27_the_order_of_names_does_not_matter_and_twice_is_refused(client: APIClient, row: Row) -> None:
    backwards = dict(reversed(row.items()))
    first, second = (client.post(PREDICT, {"row": one}).json()["predictions"][0] for one in (row, backwards))
    assert first["probabilities"] == second["probabilities"]
    text = json.dumps({"row": row})
    assert ask(client, text.replace('"mean_radius"', '"mean_radius": 1, "mean_radius"', 1)).status_code == 400


@pytest.fixture
def words(tenant: Tenant) -> ModelVersion:
    """A model that learnt from a category."""
    with tenant_scope(tenant), tenant_transaction():
        frame = table()[["mean_radius", "diagnosis"]].assign(city=["Bonn", "Köln"] * 284 + ["Bonn"])
        dataset = freeze(name="words", frame=frame, by=SYSTEM, origin={"kind": "test"})[0]
        return make_champion(make_model("words", data="cancer"), dataset=dataset)


@pytest.mark.parametrize(
    "city", ["Nowhere", "👩‍👩‍👧", "K\u006f\u0308ln", "x" * 1_000_000, "\u202eBonn", "", "a\nb"]
)
def test_28_an_unseen_category_is_answered_or_refused(
    client: APIClient, words: ModelVersion, city: str
) -> None:
    answer = client.post("/api/v1/models/words/predict", {"row": {"mean_radius": 12.0, "city": city}})
    assert answer.status_code in {200, 422}
    strict(answer)


@pytest.mark.parametrize("city", ["\\u0000", "\\ud800", "a\\u0000b"])
def test_28_what_no_database_stores_is_refused(client: APIClient, words: ModelVersion, city: str) -> None:
    text = f'{{"row": {{"mean_radius": 12.0, "city": "{city}"}}}}'
    answer = client.generic("POST", "/api/v1/models/words/predict", text, content_type="application/json")
    assert answer.status_code in {400, 422}


@pytest.mark.parametrize(
    "body",
    [
        "[" * 100_000,
        '{"row":' * 50_000,
        "{" + ",".join(f'"k{number}":1' for number in range(200_000)) + "}",
        '{"row": {"mean_radius": 1e99999999}}',
        '{"row": {"mean_radius": 1',
        "",
        "null",
        "\x00",
    ],
    ids=["deep lists", "deep objects", "many names", "huge exponent", "cut off", "empty", "null", "NUL"],
)
def test_29_a_body_out_of_bounds_is_refused_soon(
    client: APIClient, champion: ModelVersion, body: str
) -> None:
    answer = ask(client, body)
    assert answer.status_code in {400, 413, 422}
    assert len(answer.content) < 100_000


def test_29_a_body_of_megabytes_is_refused(client: APIClient, champion: ModelVersion) -> None:
    assert ask(client, '{"rows": [' + "1," * 5_000_000 + "1]}").status_code == 413


def test_30_a_batch_is_answered_wholly_or_not_at_all(
    client: APIClient, row: Row, settings: Any, tenant: Tenant
) -> None:
    settings.MAX_PREDICTION_ROWS = 3
    for count, status in ((0, 422), (1, 200), (3, 200), (4, 422)):
        assert client.post(PREDICT, {"rows": [row] * count}).status_code == status
    mixed = client.post(PREDICT, {"rows": [row, {**row, "mean_radius": "x"}]})
    assert [(error["row"], error["field"]) for error in mixed.json()["errors"]] == [(1, "mean_radius")]
    with tenant_scope(tenant), tenant_transaction():
        assert Prediction.objects.count() == 4


@pytest.fixture
def dated(tenant: Tenant) -> ModelVersion:
    """A model that learnt from a date."""
    with tenant_scope(tenant), tenant_transaction():
        frame = table()[["mean_radius", "diagnosis"]]
        frame = frame.assign(day=pd.date_range("2020-01-01", periods=len(frame), freq="D"))
        dataset = freeze(name="dated", frame=frame, by=SYSTEM, origin={"kind": "test"})[0]
        return make_champion(make_model("dated", data="cancer"), dataset=dataset)


DAYS = [
    "9999-12-31",
    "0000-01-01",
    "2016-12-31T23:59:60Z",
    "2026-03-29T02:30:00",
    "2026-02-30",
    "yesterday",
    "1e3",
]


@pytest.mark.parametrize("day", [*DAYS, 1_700_000_000, 1_700_000_000_000, -1, "2020-01-01T00:00:00+25:00"])
def test_31_a_date_is_read_or_refused_at_its_field(client: APIClient, dated: ModelVersion, day: Any) -> None:
    answer = client.post("/api/v1/models/dated/predict", {"row": {"mean_radius": 12.0, "day": day}})
    assert answer.status_code in {200, 422}
    if answer.status_code == 422:
        assert {error["field"] for error in answer.json()["errors"]} == {"day"}


@pytest.fixture
def prediction(client: APIClient, row: Row) -> str:
    """The id of a prediction that waits for its outcome."""
    return str(client.post(PREDICT, {"row": row}).json()["predictions"][0]["id"])


def test_32_outcomes_are_idempotent_and_corrections_keep_history(client: APIClient, prediction: str) -> None:
    told = [
        client.post(OUTCOMES, {"prediction": prediction, "value": value}).json()
        for value in ("benign", "benign", "malignant")
    ]
    assert [(one["accepted"], one["repeated"], one["corrected"]) for one in told] == [
        (1, 0, 0),
        (0, 1, 0),
        (1, 0, 1),
    ]
    rows = client.get(OUTCOMES).json()["results"]
    assert [(one["value"], one["current"]) for one in rows] == [("malignant", True), ("benign", False)]


@pytest.mark.parametrize("value", ["neither", 1.5, "", None, [], {}, True, "x" * 100_000])
def test_32_an_outcome_that_cannot_be_is_refused(client: APIClient, prediction: str, value: Any) -> None:
    assert client.post(OUTCOMES, {"prediction": prediction, "value": value}).status_code in {400, 422}


@pytest.mark.parametrize("key", ["nonsense", "1' OR 1=1"])
def test_32_what_is_no_prediction_is_refused(client: APIClient, champion: ModelVersion, key: str) -> None:
    assert client.post(OUTCOMES, {"prediction": key, "value": "benign"}).status_code == 422


def test_32_foreign_and_unknown_outcomes_wait_alike_and_never_meet_the_prediction(
    client: APIClient, stranger: APIClient, tenant: Tenant, other_tenant: Tenant, prediction: str
) -> None:
    for key in (prediction, "00000000-0000-0000-0000-000000000000"):
        told = stranger.post(OUTCOMES, {"prediction": key, "value": "benign"})
        assert (told.status_code, told.json()["held"], told.json()["accepted"]) == (201, 1, 0)
    for one in (tenant, other_tenant):
        with tenant_scope(one):
            assert join_held().joined == 0
    assert client.get(OUTCOMES).json()["results"] == stranger.get(OUTCOMES).json()["results"] == []


def test_32_contradicting_outcomes_are_refused(client: APIClient, prediction: str) -> None:
    said = {"prediction": prediction, "value": "benign"}
    both = {"outcomes": [said, {**said, "value": "malignant"}]}
    assert client.post(OUTCOMES, both).status_code == 422
    assert client.get(OUTCOMES).json()["results"] == []
