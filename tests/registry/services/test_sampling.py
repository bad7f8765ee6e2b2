"""A log that keeps a share of the answers: the right share, by case, and honest about the rest."""

import json
from typing import Any

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant, Usage
from mlplatform.tenancy.scope import tenant_scope
from monitoring.services.checks import run_checks
from registry.errors import InvalidModel
from registry.models import ModelVersion, Prediction
from registry.services.models import update_model
from registry.services.sampling import is_kept
from registry.services.serving import predict
from tests.conftest import ApiFor
from tests.factories import make_champion, rows_of

PREDICT = "/api/v1/models/cancer/predict"
LONG_WAY = {"HTTP_ACCEPT": "application/json, */*"}


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    """The champion of a model that keeps half of its answers."""
    with tenant_scope(tenant):
        version = make_champion()
        update_model(model=version.model, changes={"log_share": 0.5}, by=SYSTEM)
        return version


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant)


def ask(client: APIClient, body: Any, **headers: Any) -> Any:
    answer = client.generic("POST", PREDICT, json.dumps(body), content_type="application/json", **headers)
    assert answer.status_code == 200, answer.json()
    return answer.json()


def test_the_share_is_kept() -> None:
    for share in (0.01, 0.1, 0.5, 0.9):
        kept = sum(is_kept(share, f"1:case-{number}") for number in range(20_000))
        assert kept / 20_000 == pytest.approx(share, abs=0.012)
    assert not any(is_kept(0.0, str(number)) for number in range(100))
    assert all(is_kept(1.0, str(number)) for number in range(100))


def test_what_is_kept_at_a_small_share_is_kept_at_a_larger_one() -> None:
    names = [f"case-{number}" for number in range(1000)]
    assert {name for name in names if is_kept(0.1, name)} <= {name for name in names if is_kept(0.3, name)}


def test_answers_that_are_not_kept_have_no_id_and_take_no_room(
    champion: ModelVersion, client: APIClient, tenant: Tenant
) -> None:
    rows, keys = rows_of(champion, 40), [f"case-{number}" for number in range(40)]
    ids: list[list[str | None]] = []
    for headers in ({}, LONG_WAY):
        told = ask(client, {"rows": rows, "entity_keys": keys}, **headers)["predictions"]
        assert all(one["label"] for one in told)
        ids.append([one["id"] for one in told])
    # Both ways keep the same cases, and each time they are asked.
    assert [one is None for one in ids[0]] == [one is None for one in ids[1]]
    kept = [one for one in ids[0] + ids[1] if one is not None]
    assert 0 < len(kept) < 80
    with tenant_scope(tenant):
        assert {str(pk) for pk in Prediction.objects.values_list("pk", flat=True)} == set(kept)
        assert Usage.objects.get().stored_rows == len(kept) + champion.dataset.rows


def test_without_a_case_the_request_decides(champion: ModelVersion, client: APIClient) -> None:
    body = {"rows": rows_of(champion, 20)}
    again = {"HTTP_X_REQUEST_ID": "request-00000001"}
    told = [[one["id"] is None for one in ask(client, body, **again)["predictions"]] for _ in range(2)]
    assert told[0] == told[1]
    assert len(set(told[0])) == 2


def test_nothing_at_all_may_be_kept(champion: ModelVersion, client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        update_model(model=champion.model, changes={"log_share": 0}, by=SYSTEM)
    for headers in ({}, LONG_WAY):
        (told,) = ask(client, {"rows": rows_of(champion)}, **headers)["predictions"]
        assert told["id"] is None
    with tenant_scope(tenant):
        assert not Prediction.objects.exists()


def test_whoever_measures_says_what_on(champion: ModelVersion, client: APIClient, tenant: Tenant) -> None:
    with tenant_scope(tenant):
        predict(model=champion.model, rows=rows_of(champion, 40), by=SYSTEM)
        notes = run_checks(model=champion.model, by=SYSTEM).notes
    assert any("keeps 50.00% of the answers" in note for note in notes)
    assert client.get("/api/v1/models/cancer/performance").json()["log_share"] == 0.5


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), "half", None])
def test_a_share_that_is_none_is_refused(champion: ModelVersion, tenant: Tenant, share: Any) -> None:
    with tenant_scope(tenant), pytest.raises(InvalidModel):
        update_model(model=champion.model, changes={"log_share": share}, by=SYSTEM)
