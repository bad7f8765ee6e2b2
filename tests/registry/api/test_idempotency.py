"""Sending a request again: the same key and body have the same answer, whatever the protocol."""

import json
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from feedback.services.erasures import erase_subject
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.models import KeptAnswer, ModelVersion, Prediction
from registry.services import repeats
from registry.services.promotion import promote
from registry.tasks import sweep_answers
from tests.conftest import ApiFor
from tests.factories import make_champion, make_version, rows_of

PREDICT = "/api/v1/models/cancer/predict"
KEY = {"Idempotency-Key": '"8e03978e-40d5-43df-bc93-6894a57f9324"'}


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant):
        return make_champion()


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant, "predict", "read")


def logged(tenant: Tenant) -> int:
    with tenant_scope(tenant):
        return Prediction.objects.count()


def bodies(champion: ModelVersion) -> dict[str, tuple[str, dict[str, Any]]]:
    [row] = rows_of(champion)
    extras = {"intervals": True, "explain": True}
    tensors = [{"name": name, "datatype": "FP64", "shape": [1], "data": [row[name]]} for name in row]
    return {
        "own": (PREDICT, {"row": row, "entity_keys": ["anna"], **extras}),
        "open inference": ("/v2/models/cancer/infer", {"inputs": tensors, "parameters": extras}),
        "mlflow": ("/api/v1/models/cancer/invocations", {"instances": [row], "params": extras}),
    }


@pytest.mark.parametrize("protocol", ["own", "open inference", "mlflow"])
def test_the_same_request_has_the_same_answer_and_is_logged_once(
    protocol: str, client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    path, body = bodies(champion)[protocol]
    first = client.post(path, body, headers=KEY)
    with tenant_scope(tenant):
        second = make_version(champion.model, dataset=champion.dataset)
        promote(model=champion.model, version=second, by=SYSTEM, reason="better", override=True)
    again = client.post(path, body, headers=KEY)
    assert (first.status_code, again.status_code) == (200, 200)
    assert first.json() == again.json()
    assert (first.get("Idempotency-Replayed"), again.get("Idempotency-Replayed")) == (None, "true")
    assert again["X-Request-ID"] != first["X-Request-ID"]
    assert logged(tenant) == 1


def test_without_a_key_every_request_is_answered_anew(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    body = {"row": rows_of(champion)[0]}
    ids = [client.post(PREDICT, body).json()["predictions"][0]["id"] for _ in range(2)]
    assert ids[0] != ids[1]
    assert logged(tenant) == 2
    with tenant_scope(tenant):
        assert not KeptAnswer.objects.exists()


def test_the_body_may_be_written_otherwise_but_not_say_something_else(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    first, other = rows_of(champion, 2)
    given = client.post(PREDICT, {"row": first}, headers=KEY).json()
    spaced: Any = json.dumps({"row": dict(reversed(first.items()))}, indent=2)
    plain = {"Idempotency-Key": KEY["Idempotency-Key"].strip('"')}
    again = client.generic("POST", PREDICT, spaced, content_type="application/json", headers=plain)
    assert again.json() == given
    for body in ({"row": other}, {"row": first, "version": 1}):
        refused = client.post(PREDICT, body, headers=KEY)
        assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    refused = client.post("/api/v1/models/cancer/invocations", {"instances": [first]}, headers=KEY)
    assert refused.status_code == 422
    assert logged(tenant) == 1


def test_a_key_is_its_senders_own(
    client: APIClient, champion: ModelVersion, tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    body = {"row": rows_of(champion)[0]}
    mine = client.post(PREDICT, body, headers=KEY).json()
    colleague = api_for(tenant).post(PREDICT, body, headers=KEY)
    assert colleague.status_code == 200
    assert colleague.json()["predictions"] != mine["predictions"]
    with tenant_scope(other_tenant):
        theirs = make_champion()
    stranger = api_for(other_tenant).post(PREDICT, {"row": rows_of(theirs)[0]}, headers=KEY)
    assert stranger.status_code == 200
    assert stranger.json()["predictions"] != mine["predictions"]
    assert api_for(tenant, "read").post(PREDICT, body, headers=KEY).status_code == 403


@pytest.mark.parametrize("key", ["", '""', "x" * 256, "a\tb", "schlüssel"])
def test_what_cannot_be_a_key_is_refused(key: str, client: APIClient, champion: ModelVersion) -> None:
    refused = client.post(PREDICT, {"row": rows_of(champion)[0]}, HTTP_IDEMPOTENCY_KEY=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_idempotency_key")


def test_what_was_refused_can_be_mended_under_the_same_key(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    assert client.post(PREDICT, {"row": {}}, headers=KEY).status_code == 422
    assert client.post(PREDICT, {"row": rows_of(champion)[0]}, headers=KEY).status_code == 200
    assert logged(tenant) == 1


def test_of_two_that_arrive_together_the_second_gives_the_firsts_answer(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    """The second looked before the first had kept its answer, and comes to keep its own too late."""
    body = {"row": rows_of(champion)[0]}
    first = client.post(PREDICT, body, headers=KEY).json()
    looked = mock.Mock(side_effect=[None, mock.DEFAULT], wraps=repeats._known)
    with mock.patch.object(repeats, "_known", looked):
        second = client.post(PREDICT, body, headers=KEY)
    assert second.json() == first
    assert looked.call_count == 2
    assert logged(tenant) == 1


def test_after_its_time_a_key_is_free_again(
    client: APIClient, champion: ModelVersion, tenant: Tenant, settings: Settings
) -> None:
    body = {"row": rows_of(champion)[0]}
    first = client.post(PREDICT, body, headers=KEY).json()
    with tenant_scope(tenant):
        KeptAnswer.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert client.post(PREDICT, body, headers=KEY).json()["predictions"] != first["predictions"]
    assert logged(tenant) == 2
    with tenant_scope(tenant):
        assert KeptAnswer.objects.count() == 1


def test_the_sweep_deletes_what_is_over_and_nothing_else(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    body = {"row": rows_of(champion)[0]}
    for key in ("old", "new"):
        client.post(PREDICT, body, headers={"Idempotency-Key": key})
    with tenant_scope(tenant):
        oldest = KeptAnswer.objects.order_by("pk")[0]
        oldest.created_at -= timedelta(hours=25)
        oldest.save()
    assert sweep_answers() == 1
    with tenant_scope(tenant):
        assert KeptAnswer.objects.get().pk != oldest.pk


def test_a_person_who_is_erased_is_in_no_kept_answer(
    client: APIClient, champion: ModelVersion, tenant: Tenant
) -> None:
    body = {"row": rows_of(champion)[0]}
    for number, name in enumerate(("anna", "ben")):
        client.post(PREDICT, {**body, "entity_keys": [name]}, headers={"Idempotency-Key": f"key-{number}"})
    with tenant_scope(tenant):
        erase_subject(key="anna", by=SYSTEM)
        [kept] = KeptAnswer.objects.all()
        [left] = Prediction.objects.all()
        assert left.entity_key in kept.answer
