"""The short way to an answer gives what the long way gives, and leaves to it what is not plainly right."""

import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
import pandas as pd
import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, Tenant, Usage
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.api_keys import create_api_key, revoke_api_key
from registry.api.predictions import PredictView
from registry.models import ModelVersion, Prediction
from registry.services import prediction_log
from registry.services.personal import mark_model
from registry.services.promotion import promote
from tests.conftest import ApiFor
from tests.factories import make_champion, make_dataset, make_model, make_version, rows_of, table

PREDICT = "/api/v1/models/cancer/predict"
LONG_WAY = {"HTTP_ACCEPT": "application/json, */*"}  # as good as none, but not the usual one
DIFFERS = {"X-Request-ID", "RateLimit", "Content-Length"}  # the last for the digits of the time taken


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    """The clinic's champion for ``cancer``: 30 numbers, a category with a gap, an identifier."""
    frame = table()
    rng = np.random.default_rng(0)
    frame.insert(0, "ward", pd.Series(rng.choice(["north", "süd", "3"], len(frame)), dtype="str"))
    frame.loc[5, "ward"] = None
    frame.insert(0, "case", [f"C-{number:05d}" for number in range(len(frame))])
    with tenant_scope(tenant):
        return make_champion(dataset=make_dataset(frame=frame))


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client that may predict for the clinic."""
    return api_for(tenant, "predict", "read")


@pytest.fixture
def long_way() -> Iterator[mock.Mock]:
    """Counts the requests that the REST framework's view answers."""
    with mock.patch.object(PredictView, "post", autospec=True, side_effect=PredictView.post) as post:
        yield post


def post(client: APIClient, body: Any, *, path: str = PREDICT, **headers: str) -> Any:
    """The answer to a body, which may be text that is no JSON."""
    text: Any = body if isinstance(body, str | bytes) else json.dumps(body, ensure_ascii=False)
    more: Any = headers
    return client.generic("POST", path, text, content_type="application/json", **more)


def told(answer: Any) -> dict[str, Any]:
    """An answer's body without what is different each time."""
    body: dict[str, Any] = answer.json()
    body = {name: value for name, value in body.items() if name not in {"request_id", "latency_ms"}}
    for given in body.get("predictions", []):
        assert given.pop("id")
    return body


def logged(tenant: Tenant) -> list[dict[str, Any]]:
    """The tenant's log, in the order of writing, without what is different each time."""
    with tenant_scope(tenant):
        rows = list(Prediction.objects.order_by("created_at", "pk").values())
    apart = {"id", "latency_ms", "request_id", "created_at"}
    return [{name: value for name, value in row.items() if name not in apart} for row in rows]


def _good(rows: list[dict[str, Any]]) -> dict[str, Any]:
    one, other, nameless = rows[0], rows[1], rows[5]
    return {
        "one row": {"row": one},
        "one of many": {"rows": [one]},
        "many rows": {"rows": rows},
        "a version": {"row": one, "version": 1},
        "no version": {"row": one, "version": None},
        "names of cases": {"rows": [one, other, other], "entity_keys": ["a", None, ""]},
        "no names of cases": {"row": one, "entity_keys": None},
        "no intervals": {"row": one, "intervals": False},
        "whole numbers": {"row": one | {"mean_radius": 14, "mean_area": -0}},
        "another order": {"row": dict(reversed(one.items()))},
        "no identifier": {"row": {name: value for name, value in one.items() if name != "case"}},
        "an identifier of another kind": {"row": one | {"case": 7}},
        "a null": {"row": nameless | {"ward": None}},
        "a blank": {"row": nameless | {"ward": " "}},
        "an unseen category": {"row": one | {"ward": "🏥 west"}},
        "a category as a number": {"row": one | {"ward": 3}},
        "the largest number": {"row": one | {"mean_area": 2**53}},
    }


def test_good_requests_have_the_same_answer_headers_and_log_rows_both_ways(
    client: APIClient, champion: ModelVersion, tenant: Tenant, long_way: mock.Mock
) -> None:
    seen = 0
    for case, body in _good([_plain(row) for row in rows_of(champion, 6)]).items():
        long_way.reset_mock()
        short = post(client, body)
        assert (short.status_code, long_way.call_count) == (200, 0), (case, short.json())
        long = post(client, body, **LONG_WAY)
        assert (long.status_code, long_way.call_count) == (200, 1), case
        assert told(short) == told(long), case
        assert {*short.headers} == {*long.headers}
        for name in {*short.headers} - DIFFERS:
            assert short[name] == long[name], (case, name)
        rows = logged(tenant)[seen:]
        seen, half = seen + len(rows), len(rows) // 2
        assert rows[:half] == rows[half:], case
        assert half == len(short.json()["predictions"])


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {name: None if value != value else value for name, value in row.items()}  # NaN


BAD: dict[str, Any] = {
    "a name twice": '{"row": {"mean_radius": 1, "mean_radius": 1}}',
    "the rows twice": '{"row": {}, "row": {}}',
    "no rows": {},
    "no row": {"rows": []},
    "both": {"row": {}, "rows": [{}]},
    "a list for a row": {"row": []},
    "null for a row": {"row": None},
    "too many rows": {"rows": [{}] * 1001},
    "an unknown field": {"row": {}, "tenant": 2},
    "another tenant": {"row": {}, "tenant_id": 2},
    "an unknown version": {"row": {}, "version": 99},
    "a version that is none": {"row": {}, "version": True},
    "a version of 2^70": {"row": {}, "version": 2**70},
    "keys that are none": {"row": {}, "entity_keys": "a"},
    "too few keys": {"row": {}, "entity_keys": []},
    "keys that are numbers": {"row": {}, "entity_keys": [1]},
    "a key that is too long": {"row": {}, "entity_keys": ["k" * 201]},
    "a coverage without intervals": {"row": {}, "coverage": 0.9},
    "NaN": '{"row": {"mean_radius": NaN}}',
    "infinity": '{"row": {"mean_radius": -Infinity}}',
    "half a document": '{"row": {"mean_radius": 1',
    "two documents": '{"row": {}} {"row": {}}',
    "nothing": "",
    "not UTF-8": b'{"row": {"ward": "\xff"}}',
    "compressed": b"\x1f\x8b0000",
    "a depth without bottom": '{"row": ' + "[" * 100_000,
}
# What is put into a good row.
BAD_VALUES: dict[str, Any] = {
    "text for a number": '"14.5"',
    "true for a number": "true",
    "null for a number": "null",
    "a list for a number": "[1]",
    "an object for a number": '{"a": 1}',
    "1e400": "1e400",
    "10^400": "1" + "0" * 400,
    "thousands of digits": "1" * 5000,
    "2^53 + 1": str(2**53 + 1),
    "a leading nought": "01",
    "full-width digits": '"１２"',
    "arabic digits": '"٣"',
    "a control character": '"\x00"',
}


BAD_CHANGES: list[dict[str, Any]] = [
    {"mean_radus": 1},
    {"Mean_radius": 1},
    {"mean_radius ": 1},
    {"mean_radíus": 1},
    {"ward": 4},
    {"ward": ["north"]},
    {"ward": "w" * 10_001},
    {"ward": "half \ud800"},
    {"ward": "nul \x00"},
    {"case": {}},
]


def _bad(good: dict[str, Any]) -> dict[str, Any]:
    row = json.dumps(good | {"mean_radius": "HERE"}, ensure_ascii=False)
    values = {
        name: f'{{"row": {row.replace(chr(34) + "HERE" + chr(34), it)}}}' for name, it in BAD_VALUES.items()
    }
    changes = {str(change)[:80]: json.dumps({"rows": [good, good | change]}) for change in BAD_CHANGES}
    return BAD | values | changes


def test_bad_requests_have_the_same_answer_both_ways_and_leave_nothing(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    for case, body in _bad(rows_of(champion)[0]).items():
        short, long = post(client, body), post(client, body, **LONG_WAY)
        assert 400 <= short.status_code < 500, case
        assert (short.status_code, told(short)) == (long.status_code, told(long)), case
        assert short["Content-Type"] == long["Content-Type"] == "application/problem+json"
        assert logged(tenant) == [], case


@pytest.mark.parametrize("escaped", ["case", "value"])
def test_what_is_written_with_escapes_goes_the_long_way_and_is_right(
    escaped: str, client: APIClient, champion: ModelVersion, long_way: mock.Mock
) -> None:
    row = rows_of(champion)[0]
    text = json.dumps({"row": row})
    text = text.replace('"case"', '"\\u0063ase"') if escaped == "case" else text.replace("C-0", "C\\u002d0")
    assert post(client, text).status_code == 200
    assert long_way.call_count == 1


def test_a_request_with_more_to_it_goes_the_long_way(client: APIClient, champion: ModelVersion) -> None:
    body = {"row": rows_of(champion)[0]}
    for headers, status in (
        ({"HTTP_ORIGIN": "https://other.example"}, 200),
        ({"HTTP_ACCEPT": "text/html"}, 406),
        ({"HTTP_TRANSFER_ENCODING": "chunked"}, 411),
        ({"HTTP_HOST": "evil.example"}, 400),
        ({"QUERY_STRING": "format=xml"}, 404),
    ):
        assert post(client, body, **headers).status_code == status, headers
    for credentials in ("Bearer mlp_wrong", "Basic mlp", ""):
        client.credentials(HTTP_AUTHORIZATION=credentials)
        assert post(client, body).status_code == 401, credentials


def test_another_kind_of_body_and_another_method_are_refused_as_ever(
    client: APIClient, champion: ModelVersion
) -> None:
    body = json.dumps({"row": rows_of(champion)[0]})
    assert client.generic("POST", PREDICT, body, content_type="text/csv").status_code == 415
    assert client.generic("PUT", PREDICT, body, content_type="application/json").status_code == 405
    assert client.get(PREDICT).status_code == 405
    assert post(client, body, path=PREDICT + "/").status_code == 404


def test_rights_hold_on_the_short_way(
    champion: ModelVersion, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    body = {"row": rows_of(champion)[0]}
    assert post(api_for(tenant, "predict"), body).status_code == 200
    assert post(api_for(tenant, "read"), body).status_code == 403
    assert post(api_for(other_tenant), body).status_code == 404
    with tenant_scope(tenant):
        make_model("another")
        narrow = create_api_key(name="narrow", scopes=["predict"], models=["another"], by=SYSTEM)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {narrow.secret}")
    assert post(client, body).status_code == 404


def test_personal_columns_are_treated_on_the_short_way(
    client: APIClient, champion: ModelVersion, tenant: Tenant, long_way: mock.Mock
) -> None:
    row = rows_of(champion)[0]
    with tenant_scope(tenant):
        mark_model(model=champion.model, changes={"case": "pseudonymise", "mean_area": "drop"}, by=SYSTEM)
    short, long = post(client, {"row": row}), post(client, {"row": row}, **LONG_WAY)
    assert (short.status_code, long.status_code, long_way.call_count) == (200, 200, 1)
    first, second = logged(tenant)
    assert first == second
    assert first["features"]["case"] != row["case"]
    assert "mean_area" not in first["features"]


@pytest.fixture
def clock(settings: Settings) -> Iterator[mock.Mock]:
    """The clock of what is remembered, for ten seconds."""
    settings.SERVING_MEMORY_SECONDS = 10
    with mock.patch("registry.services.access.time") as clock:
        clock.monotonic.return_value = 1000.0
        yield clock.monotonic


def test_a_remembered_request_costs_no_query_but_its_rows(
    client: APIClient, champion: ModelVersion, clock: mock.Mock
) -> None:
    body = {"row": rows_of(champion)[0]}
    post(client, body)
    with CaptureQueriesContext(connection) as queries:
        assert post(client, body).status_code == 200
    sent = " ".join(query["sql"] for query in queries.captured_queries)
    # The rows themselves are given to SQLite's driver, past what is captured here.
    assert (sent.count('SELECT "'), sent.count("UPDATE")) == (0, 1)
    assert sent.count("INSERT INTO") == (connection.vendor == "postgresql")
    assert len(logged(champion.tenant)) == 2


@pytest.mark.parametrize(("seconds", "status"), [(4.9, 200), (10.0, 401)])
def test_a_revoked_key_is_refused_within_the_memory(
    seconds: float, status: int, client: APIClient, champion: ModelVersion, tenant: Tenant, clock: mock.Mock
) -> None:
    body = {"row": rows_of(champion)[0]}
    assert post(client, body).status_code == 200
    with tenant_scope(tenant):
        revoke_api_key(key=ApiKey.objects.get(), by=SYSTEM)
    clock.return_value += seconds
    assert post(client, body).status_code == status


def test_a_promotion_holds_within_the_memory(
    client: APIClient, champion: ModelVersion, tenant: Tenant, clock: mock.Mock
) -> None:
    body = {"row": rows_of(champion)[0]}
    assert post(client, body).json()["version"] == 1
    with tenant_scope(tenant):
        second = make_version(champion.model, dataset=champion.dataset)
        promote(model=champion.model, version=second, by=SYSTEM, reason="better", override=True)
    assert post(client, body).json()["version"] == 1
    clock.return_value += 5.1
    assert post(client, body).json()["version"] == 2


def test_what_is_remembered_of_one_tenant_is_nothing_to_another(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor, clock: mock.Mock, long_way: mock.Mock
) -> None:
    given = {}
    for owner in (tenant, other_tenant):
        with tenant_scope(owner):
            champion = make_champion(make_model("same"))
            given[owner.pk] = {"row": rows_of(champion)[0]}
    clients = {owner.pk: api_for(owner) for owner in (tenant, other_tenant)}
    for _ in range(2):
        for owner in (tenant, other_tenant):
            path = "/api/v1/models/same/predict"
            assert post(clients[owner.pk], given[owner.pk], path=path).status_code == 200
    assert long_way.call_count == 0
    for owner in (tenant, other_tenant):
        with tenant_scope(owner):
            rows = list(Prediction.objects.select_related("model"))
            assert len(rows) == 2
            assert {row.model.tenant_id for row in rows} == {owner.pk}


def test_a_row_that_finds_no_room_is_refused_as_ever(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    body = {"row": rows_of(champion)[0]}
    assert post(client, body).status_code == 200
    tenant.stored_rows = 1
    tenant.save()
    answer = post(client, body)
    assert (answer.status_code, answer.json()["code"]) == (409, "limit_reached")
    assert len(logged(tenant)) == 1


def test_requests_are_counted_once_whichever_way_they_go(
    client: APIClient, champion: ModelVersion, settings: Settings
) -> None:
    settings.LIMITS = settings.LIMITS | {"requests_per_minute": 4}
    body = {"row": rows_of(champion)[0]}
    with mock.patch("time.time", return_value=1_800_000_015.0):
        left = [post(client, body)["RateLimit"], post(client, {"row": {}})["RateLimit"]]
        left += [post(client, body, **LONG_WAY)["RateLimit"], post(client, body)["RateLimit"]]
        assert left == [f'"keys";r={count};t=45' for count in (3, 2, 1, 0)]
        refused = post(client, body)
    assert (refused.status_code, refused["RateLimit"]) == (429, '"keys";r=0;t=45')


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_lost_while_it_commits_leaves_one_row(
    tenant: Tenant, client: APIClient, champion: ModelVersion, long_way: mock.Mock
) -> None:
    real = prediction_log._insert

    def lost(rows: Any) -> None:
        real(rows)
        raise OperationalError("server closed the connection unexpectedly")

    body = {"rows": rows_of(champion, 2), "entity_keys": ["a", "b"]}
    with mock.patch.object(prediction_log, "_insert", lost):
        answer = post(client, body)
    assert (answer.status_code, long_way.call_count) == (200, 1)
    with tenant_scope(tenant), tenant_transaction():
        rows = list(Prediction.objects.order_by("created_at"))
        assert Usage.objects.get().stored_rows == champion.dataset.rows + 2
    assert [str(row.pk) for row in rows] == [one["id"] for one in answer.json()["predictions"]]
    assert {row.request_id for row in rows} == {answer["X-Request-ID"]}


@pytest.mark.django_db(transaction=True)
def test_a_connection_that_is_lost_before_it_commits_leaves_one_row_too(
    tenant: Tenant, client: APIClient, champion: ModelVersion, long_way: mock.Mock
) -> None:
    error = OperationalError("server closed the connection unexpectedly")
    with mock.patch.object(prediction_log, "_insert", side_effect=error):
        answer = post(client, {"row": rows_of(champion)[0]})
    assert (answer.status_code, long_way.call_count) == (200, 1)
    with tenant_scope(tenant), tenant_transaction():
        (row,) = Prediction.objects.all()
    assert str(row.pk) == answer.json()["predictions"][0]["id"]
