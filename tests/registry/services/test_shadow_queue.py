"""Rows that wait for versions in shadow: no request waits, what does not fit is counted, a stop finishes."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from registry.models import ModelVersion, Prediction, ShadowAnswer, ShadowTally
from registry.services import shadow_queue
from registry.services.aliases import set_alias
from registry.services.log_buffer import LogBuffer
from registry.services.models import update_model
from registry.services.shadow_queue import ShadowQueue
from registry.services.shadows import answer_in_shadow
from tests.conftest import ApiFor
from tests.factories import make_champion, make_version, rows_of

pytestmark = pytest.mark.django_db(transaction=True)
PREDICT = "/api/v1/models/cancer/predict"


@pytest.fixture(autouse=True)
def _soon() -> Iterator[None]:
    """Let the thread look often and rest little, where its pace is not the point."""
    with mock.patch.object(shadow_queue, "WINDOW", 0.01), mock.patch.object(shadow_queue, "REST", 0.0):
        yield


@pytest.fixture
def queue() -> Iterator[ShadowQueue]:
    """A queue of its own, in the place of the process's."""
    made = ShadowQueue()
    with (
        mock.patch("registry.api.predict_now.QUEUE", made),
        mock.patch("registry.services.serving.QUEUE", made),
    ):
        yield made
    made.stop()


@pytest.fixture
def champion() -> ModelVersion:
    """A champion with a challenger in its shadow."""
    with tenant_scope(create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)):
        version = make_champion()
        second = make_version(version.model, dataset=version.dataset)
        set_alias(model=version.model, name="challenger", version=second, by=SYSTEM)
        update_model(model=version.model, changes={"shadow_aliases": ["challenger"]}, by=SYSTEM)
        return version


@pytest.fixture
def client(champion: ModelVersion, api_for: ApiFor) -> APIClient:
    return api_for(champion.tenant, "predict")


def ask(client: APIClient, champion: ModelVersion, rows: int = 1, **headers: Any) -> set[str]:
    """Ask for so many rows; return the ids of the answers."""
    body = json.dumps({"rows": rows_of(champion, rows)})
    answer = client.generic("POST", PREDICT, body, content_type="application/json", **headers)
    assert answer.status_code == 200, answer.json()
    assert answer.json()["version"] == champion.number
    return {one["id"] for one in answer.json()["predictions"]}


def shadowed(tenant: Tenant) -> set[str]:
    """The ids of the rows that have an answer in shadow."""
    with tenant_scope(tenant), tenant_transaction():
        return {str(pk) for pk in ShadowAnswer.objects.values_list("prediction_id", flat=True)}


def dropped(tenant: Tenant) -> dict[str, int]:
    """How many rows were dropped, by the reason."""
    with tenant_scope(tenant), tenant_transaction():
        return {tally.reason: tally.dropped for tally in ShadowTally.objects.all()}


@pytest.mark.parametrize("headers", [{}, {"HTTP_ACCEPT": "application/json, */*"}], ids=["short", "long"])
def test_rows_are_answered_in_shadow_soon_after(
    champion: ModelVersion, client: APIClient, queue: ShadowQueue, headers: Any
) -> None:
    ids = ask(client, champion, 3, **headers) | ask(client, champion, **headers)
    assert queue.wait_until_answered(20)
    assert shadowed(champion.tenant) == ids
    assert dropped(champion.tenant) == {}


def test_a_clean_stop_answers_what_waits_and_later_rows_are_counted(
    champion: ModelVersion, client: APIClient, queue: ShadowQueue
) -> None:
    with mock.patch.object(shadow_queue, "WINDOW", 3600):
        ids = ask(client, champion, 3)
        assert shadowed(champion.tenant) == set()
        queue.stop()
        assert shadowed(champion.tenant) == ids
        ask(client, champion, 2)
        assert queue.wait_until_answered(20)
    assert shadowed(champion.tenant) == ids
    assert dropped(champion.tenant) == {shadow_queue.STOPPED: 2}


def test_what_does_not_fit_is_dropped_at_once_and_counted(
    champion: ModelVersion, client: APIClient, queue: ShadowQueue
) -> None:
    with mock.patch.object(shadow_queue, "LARGEST", 2):
        ask(client, champion, 3)
        assert queue.wait_until_answered(20)
    assert shadowed(champion.tenant) == set()
    assert dropped(champion.tenant) == {shadow_queue.FULL: 3}


def test_rows_of_a_log_in_the_background_wait_for_their_place_in_it(
    champion: ModelVersion, client: APIClient, queue: ShadowQueue
) -> None:
    with tenant_scope(champion.tenant):
        update_model(model=champion.model, changes={"log_writing": "background"}, by=SYSTEM)
    buffer = LogBuffer()
    with mock.patch("registry.api.predict_now.BUFFER", buffer):
        ids = ask(client, champion, 2)
        buffer.stop()
        assert queue.wait_until_answered(20)
    assert shadowed(champion.tenant) == ids


def test_rows_that_never_come_into_the_log_are_counted(
    champion: ModelVersion, client: APIClient, queue: ShadowQueue
) -> None:
    with (
        mock.patch.object(shadow_queue, "LOGGED_WITHIN", 0.05),
        mock.patch.object(shadow_queue, "WINDOW", 3600),
    ):
        ids = ask(client, champion, 2)
        with tenant_scope(champion.tenant), tenant_transaction():
            Prediction.objects.filter(pk__in=ids).delete()
        queue.stop()
    assert dropped(champion.tenant) == {shadow_queue.LATE: 2}


def test_a_version_that_cannot_be_loaded_is_counted_and_keeps_no_other_out(
    champion: ModelVersion, client: APIClient, queue: ShadowQueue
) -> None:
    failed = threading.Event()

    def answer(**given: Any) -> int:
        if not failed.is_set():
            failed.set()
            raise OperationalError("the database is away")
        return answer_in_shadow(**given)

    with mock.patch.object(shadow_queue, "answer_in_shadow", answer):
        ask(client, champion)
        assert failed.wait(20)
        assert queue.wait_until_answered(20)
        ids = ask(client, champion)
        assert queue.wait_until_answered(20)
    assert shadowed(champion.tenant) == ids
    assert dropped(champion.tenant) == {"OperationalError": 1}


def test_a_model_without_shadows_wakes_nobody(
    champion: ModelVersion, client: APIClient, queue: ShadowQueue
) -> None:
    with tenant_scope(champion.tenant):
        update_model(model=champion.model, changes={"shadow_aliases": []}, by=SYSTEM)
    ask(client, champion)
    assert queue._thread is None
