"""A request at a fork: each row by the version of its case, either way, and no request fails."""

import json
from collections.abc import Callable
from typing import Any
from unittest import mock

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient
from sklearn.base import clone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.api.predictions import PredictView
from registry.frames import dataset_frame
from registry.models import ModelVersion, Prediction, Rollout
from registry.services.access import MEMORY
from registry.services.loading import load_pipeline
from registry.services.rollout_plans import Planned
from registry.services.rollouts import pause, start_rollout
from registry.tabular.schema import coerce_frame, columns_from_json
from tests.conftest import ApiFor
from tests.factories import make_champion, make_dataset, make_version, rows_of, table

PREDICT = "/api/v1/models/cancer/predict"
LONG_WAY = {"HTTP_ACCEPT": "application/json, */*"}
Ask = Callable[..., dict[str, Any]]
CASES = [f"case {number}" for number in range(40)]


@pytest.fixture
def challenger(tenant: Tenant) -> ModelVersion:
    """A version that answers as the champion does, but for a ward that it does not know."""
    wards = np.random.default_rng(0).choice(["north", "south"], len(table()))
    with tenant_scope(tenant), tenant_transaction():
        champion = make_champion(dataset=make_dataset(frame=table().assign(ward=wards.astype("str"))))
        frame, columns = dataset_frame(champion.dataset), columns_from_json(champion.features)
        strict = clone(load_pipeline(champion))
        strict.set_params(columntransformer__onehotencoder__handle_unknown="error")
        strict.fit(coerce_frame(frame, columns), frame["diagnosis"])
        made = make_version(champion.model, dataset=champion.dataset, pipeline=strict)
        ModelVersion.objects.filter(pk=made.pk).update(twin_file="", twin_hash="")
        return ModelVersion.objects.get(pk=made.pk)


@pytest.fixture
def rollout(tenant: Tenant, challenger: ModelVersion) -> Rollout:
    """Half of the cases are the challenger's."""
    with tenant_scope(tenant):
        return start_rollout(
            model=challenger.model, challenger=challenger, kind="ab", plan=[Planned(0.5)], by=SYSTEM
        )


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client that may predict for the clinic."""
    return api_for(tenant, "predict", "read")


@pytest.fixture(params=["short", "long"])
def ask(request: pytest.FixtureRequest, client: APIClient, challenger: ModelVersion) -> Ask:
    """Asks about the cases, either way; without rows with those of the table."""
    rows = rows_of(challenger, len(CASES))
    headers = LONG_WAY if request.param == "long" else {}

    def asking(**body: Any) -> dict[str, Any]:
        keys = body.get("entity_keys")
        body.setdefault("rows", rows[: len(keys)] if keys else rows)
        more: Any = headers
        answer = client.generic("POST", PREDICT, json.dumps(body), "application/json", **more)
        return {**answer.json(), "status": answer.status_code}

    return asking


def versions(answer: dict[str, Any]) -> list[int]:
    assert answer["status"] == 200, answer
    return [one["version"] for one in answer["predictions"]]


def test_each_row_is_answered_by_the_version_of_its_case_and_says_so(
    ask: Ask, rollout: Rollout, tenant: Tenant
) -> None:
    answer = ask(entity_keys=CASES)
    dealt = versions(answer)
    assert set(dealt) == {1, 2}
    assert 10 <= dealt.count(2) <= 30
    assert answer["version"] is None
    with tenant_scope(tenant), tenant_transaction():
        logged = {str(one.pk): one for one in Prediction.objects.select_related("version")}
    kept = [logged[one["id"]] for one in answer["predictions"]]
    assert [one.version.number for one in kept] == dealt
    assert {one.rollout_id for one in kept} == {rollout.pk}
    entities = [one.entity_key for one in kept]
    assert rollout.route.taken(entities, kept[0].created_at) == [number == 2 for number in dealt]


def test_a_case_keeps_its_version_in_any_company_and_by_its_pseudonym(ask: Ask, rollout: Rollout) -> None:
    answer = ask(entity_keys=CASES)
    dealt = versions(answer)
    assert versions(ask(entity_keys=CASES[::-1])) == dealt[::-1]
    for place in range(4):
        alone = ask(entity_keys=[CASES[place]])
        assert (versions(alone), alone["version"]) == ([dealt[place]], dealt[place])
    pseudonyms = [one["entity_key"] for one in answer["predictions"]]
    assert versions(ask(entity_keys=pseudonyms)) == dealt


def test_rows_without_a_case_go_together(ask: Ask, rollout: Rollout) -> None:
    seen = {tuple(sorted(set(versions(ask())))) for _ in range(12)}
    assert seen <= {(1,), (2,)}
    assert len(seen) == 2  # but in 1 of 2,048 runs; the ids are drawn


def test_whoever_names_a_version_gets_it_and_is_in_no_rollout(
    ask: Ask, rollout: Rollout, tenant: Tenant
) -> None:
    for number in (1, 2):
        assert set(versions(ask(entity_keys=CASES, version=number))) == {number}
    with tenant_scope(tenant), tenant_transaction():
        assert not Prediction.objects.filter(rollout__isnull=False).exists()


def test_while_it_is_paused_the_champion_answers_every_case(
    ask: Ask, rollout: Rollout, tenant: Tenant
) -> None:
    with tenant_scope(tenant):
        pause(rollout=rollout, by=SYSTEM)
    MEMORY.forget()
    assert set(versions(ask(entity_keys=CASES))) == {1}


def test_the_usual_request_goes_the_short_way_at_a_fork_without_a_query_of_its_own(
    client: APIClient, rollout: Rollout, challenger: ModelVersion, settings: Settings
) -> None:
    settings.SERVING_MEMORY_SECONDS = 60
    body = json.dumps({"rows": rows_of(challenger, 4), "entity_keys": CASES[:4]})
    client.generic("POST", PREDICT, body, "application/json")  # what is known from then on
    with (
        mock.patch.object(PredictView, "post", autospec=True) as long_way,
        CaptureQueriesContext(connection) as queries,
    ):
        answer = client.generic("POST", PREDICT, body, "application/json")
    assert answer.status_code == 200
    assert not long_way.called
    assert not [one for one in queries if "registry_rollout" in one["sql"] and "INSERT" not in one["sql"]]


@pytest.mark.parametrize("fault", ["fails on the rows", "is not signed"])
def test_a_challenger_that_cannot_answer_is_taken_back_at_once_and_no_request_fails(
    ask: Ask, rollout: Rollout, tenant: Tenant, fault: str
) -> None:
    if fault == "is not signed":
        with tenant_scope(tenant), tenant_transaction():
            ModelVersion.objects.filter(pk=rollout.challenger_id).update(artifact_signature="0" * 64)
        answer = ask(entity_keys=CASES)
    else:
        rows = [{**row, "ward": "east"} for row in rows_of(rollout.challenger, len(CASES))]
        answer = ask(entity_keys=CASES, rows=rows)
    assert set(versions(answer)) == {1}
    with tenant_scope(tenant), tenant_transaction():
        ended = Rollout.objects.get()
        assert not Prediction.objects.filter(rollout__isnull=False).exists()
    assert ended.state == "rolled_back"
    assert "failed to answer" in ended.outcome


def test_rows_that_do_not_fit_the_challenger_are_the_champions_and_prove_nothing(
    ask: Ask, rollout: Rollout, tenant: Tenant
) -> None:
    features = [{**rollout.challenger.features[0], "name": "needed", "nullable": False}]
    with tenant_scope(tenant), tenant_transaction():
        ModelVersion.objects.filter(pk=rollout.challenger_id).update(features=features)
    assert set(versions(ask(entity_keys=CASES))) == {1}
    with tenant_scope(tenant), tenant_transaction():
        assert Rollout.objects.get().is_active
        assert not Prediction.objects.filter(rollout__isnull=False).exists()


def test_intervals_come_from_the_version_that_answered(ask: Ask, rollout: Rollout) -> None:
    answer = ask(entity_keys=CASES, intervals=True)
    assert set(versions(answer)) == {1, 2}
    assert all(one["possible"] for one in answer["predictions"])


def test_one_row_that_does_not_fit_the_challenger_keeps_its_request_out_whoever_it_was_dealt_to(
    ask: Ask, rollout: Rollout, tenant: Tenant
) -> None:
    """Were only the challenger's rows judged, the champion alone would answer the difficult cases."""
    loose = [{**one, "nullable": True} for one in rollout.challenger.features]
    with tenant_scope(tenant), tenant_transaction():
        ModelVersion.objects.filter(pk=rollout.champion_id).update(features=loose)
        strict = [{**loose[0], "nullable": False}, *loose[1:]]
        ModelVersion.objects.filter(pk=rollout.challenger_id).update(features=strict)
    dealt = versions(ask(entity_keys=CASES))
    assert set(dealt) == {1, 2}
    for number in (1, 2):
        rows = rows_of(rollout.challenger, len(CASES))
        rows[dealt.index(number)][loose[0]["name"]] = None
        assert set(versions(ask(entity_keys=CASES, rows=rows))) == {1}


def test_where_no_rollout_runs_none_is_looked_for(
    client: APIClient, challenger: ModelVersion, settings: Settings
) -> None:
    body = json.dumps({"rows": rows_of(challenger, 4)})
    more: Any = LONG_WAY
    with CaptureQueriesContext(connection) as queries:
        answer = client.generic("POST", PREDICT, body, "application/json", **more)
    assert answer.status_code == 200
    assert not [one for one in queries if one["sql"].startswith('SELECT "registry_rollout"')]
