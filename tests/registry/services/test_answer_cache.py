"""Answers from memory: the same rows alone, for their time, never of another version, and marked."""

import json
from typing import Any
from unittest import mock

import pytest
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.inference.plan import Plan
from registry.models import ModelVersion, Prediction
from registry.services import answer_cache
from registry.services.answer_cache import ANSWERS
from registry.services.answer_counts import answer_counts
from registry.services.models import update_model
from registry.services.promotion import promote, rollback
from registry.services.serving import predict
from tests.conftest import ApiFor
from tests.factories import make_champion, make_version, rows_of

PREDICT = "/api/v1/models/cancer/predict"


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    """The champion of a model that keeps its answers for a minute."""
    with tenant_scope(tenant):
        version = make_champion()
        update_model(model=version.model, changes={"cache_answers": True, "cache_seconds": 60}, by=SYSTEM)
        return version


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant, "predict")


def ask(client: APIClient, rows: list[dict[str, Any]], **headers: Any) -> Any:
    """The answer's body; ``HTTP_ACCEPT`` with something unusual leads the long way."""
    answer = client.generic(
        "POST", PREDICT, json.dumps({"rows": rows}), content_type="application/json", **headers
    )
    assert answer.status_code == 200, answer.json()
    return answer.json()


def cached(body: Any) -> list[bool]:
    return [one["cached"] for one in body["predictions"]]


@pytest.mark.parametrize("headers", [{}, {"HTTP_ACCEPT": "application/json, */*"}], ids=["short", "long"])
def test_an_equal_row_is_answered_from_memory_and_marked(
    champion: ModelVersion, client: APIClient, tenant: Tenant, headers: Any
) -> None:
    first, other = rows_of(champion, 2)
    told = ask(client, [first], **headers)
    with mock.patch.object(Plan, "ask", autospec=True, side_effect=Plan.ask) as asked:
        again = ask(client, [dict(reversed(first.items()))], **headers)
        assert asked.call_count == 0
        mixed = ask(client, [other, first], **headers)
        assert [len(call.args[1]) for call in asked.call_args_list] == [1]
    assert (cached(told), cached(again), cached(mixed)) == ([False], [True], [False, True])
    apart = {"id", "cached"}
    for answer in (again["predictions"][0], mixed["predictions"][1]):
        for name, value in told["predictions"][0].items():
            assert name in apart or answer[name] == value
    with tenant_scope(tenant):
        rows = Prediction.objects.order_by("created_at")
        assert [row.cached for row in rows] == [False, True, False, True]
        assert len({row.engine for row in rows}) == 1
        counted = answer_counts(champion.model)
    assert (counted.logged, counted.cached) == (4, 2)


def test_both_ways_share_what_is_kept(champion: ModelVersion, client: APIClient) -> None:
    rows = rows_of(champion)
    ask(client, rows)
    assert cached(ask(client, rows, HTTP_ACCEPT="application/json, */*")) == [True]


def test_without_the_choice_nothing_is_kept(
    champion: ModelVersion, client: APIClient, tenant: Tenant
) -> None:
    with tenant_scope(tenant):
        update_model(model=champion.model, changes={"cache_answers": False}, by=SYSTEM)
    rows = rows_of(champion)
    assert [cached(ask(client, rows)) for _ in range(2)] == [[False], [False]]


def test_an_answer_is_given_again_for_its_time_alone(champion: ModelVersion, client: APIClient) -> None:
    rows = rows_of(champion)
    with mock.patch("registry.services.answer_cache.time.monotonic", return_value=1000.0) as clock:
        ask(client, rows)
        clock.return_value = 1059.9
        assert cached(ask(client, rows)) == [True]
        clock.return_value = 1060.0
        assert cached(ask(client, rows)) == [False]


def test_a_changed_value_is_another_row(champion: ModelVersion, client: APIClient) -> None:
    (row,) = rows_of(champion)
    ask(client, [row])
    assert cached(ask(client, [row | {"mean_radius": row["mean_radius"] + 1e-9}])) == [False]


def test_a_new_champion_begins_with_nothing_and_so_does_one_that_comes_back(
    champion: ModelVersion, client: APIClient, tenant: Tenant
) -> None:
    rows = rows_of(champion)
    ask(client, rows)
    with tenant_scope(tenant):
        second = make_version(champion.model, dataset=champion.dataset)
        promote(model=champion.model, version=second, by=SYSTEM, override=True, reason="x")
    body = ask(client, rows)
    assert (body["version"], cached(body)) == (2, [False])
    with tenant_scope(tenant):
        rollback(model=champion.model, by=SYSTEM)
    body = ask(client, rows)
    assert (body["version"], cached(body)) == (1, [False])


def test_two_tenants_never_share_an_answer(
    champion: ModelVersion, client: APIClient, other_tenant: Tenant, api_for: ApiFor
) -> None:
    with tenant_scope(other_tenant):
        theirs = make_champion()
        update_model(model=theirs.model, changes={"cache_answers": True}, by=SYSTEM)
    rows = rows_of(champion)
    ask(client, rows)
    assert cached(ask(api_for(other_tenant), rows)) == [False]


def test_the_memory_is_bounded_and_lets_go_of_the_oldest(
    champion: ModelVersion, tenant: Tenant, settings: Settings
) -> None:
    settings.ANSWER_CACHE_MB = 1
    rows = rows_of(champion, 3)
    with tenant_scope(tenant), mock.patch.object(answer_cache, "OVERHEAD", 450_000):
        model = champion.model
        for row in rows:
            predict(model=model, rows=[row], by=SYSTEM)
        told = predict(model=model, rows=[rows[2], rows[1], rows[0]], by=SYSTEM)
    assert [one.cached for one in told.predictions] == [True, True, False]
    assert ANSWERS._bytes <= 1_000_000


def test_intervals_of_an_answer_from_memory_are_those_of_a_new_one(
    champion: ModelVersion, client: APIClient
) -> None:
    body = json.dumps({"rows": rows_of(champion), "intervals": True})
    told = [client.generic("POST", PREDICT, body, content_type="application/json").json() for _ in range(2)]
    if "predictions" in told[0]:
        assert told[0]["predictions"][0]["possible"] == told[1]["predictions"][0]["possible"]
        assert cached(told[1]) == [True]
