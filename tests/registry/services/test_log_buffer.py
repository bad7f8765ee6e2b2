"""The log in the background: within the window, none lost on a clean stop, never more than its bound."""

import json
import threading
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from registry.models import ModelVersion, Prediction
from registry.services import log_buffer
from registry.services.log_buffer import LogBuffer
from registry.services.models import update_model
from registry.services.prediction_log import insert_rows
from tests.conftest import ApiFor
from tests.factories import make_champion, rows_of

pytestmark = pytest.mark.django_db(transaction=True)
PREDICT = "/api/v1/models/cancer/predict"


@pytest.fixture
def buffer() -> Iterator[LogBuffer]:
    """A buffer of its own, in the place of the process's."""
    made = LogBuffer()
    with mock.patch("registry.api.predict_now.BUFFER", made):
        yield made
    made.stop()


@pytest.fixture
def version() -> ModelVersion:
    """The champion of a model whose log is written in the background."""
    with tenant_scope(create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)):
        champion = make_champion()
        update_model(model=champion.model, changes={"log_writing": "background"}, by=SYSTEM)
        return champion


@pytest.fixture
def client(version: ModelVersion, api_for: ApiFor) -> APIClient:
    """A client that may predict."""
    return api_for(version.tenant, "predict")


def ask(client: APIClient, version: ModelVersion) -> Any:
    """Ask for one row."""
    body = json.dumps({"row": rows_of(version)[0]})
    return client.generic("POST", PREDICT, body, content_type="application/json")


def stored(tenant: Tenant) -> set[str]:
    """The ids in the tenant's log."""
    with tenant_scope(tenant), tenant_transaction():
        return {str(pk) for pk in Prediction.objects.values_list("pk", flat=True)}


def answered(client: APIClient, version: ModelVersion, times: int) -> set[str]:
    """The ids of so many answers."""
    return {ask(client, version).json()["predictions"][0]["id"] for _ in range(times)}


def test_rows_are_written_soon_after_their_answers(
    client: APIClient, version: ModelVersion, buffer: LogBuffer
) -> None:
    ids = answered(client, version, 5)
    assert buffer.wait_until_written(10)
    assert stored(version.tenant) == ids
    assert len(ids) == 5


def test_a_clean_stop_writes_everything_and_what_comes_later_is_stored_at_once(
    client: APIClient, version: ModelVersion, buffer: LogBuffer
) -> None:
    with mock.patch.object(log_buffer, "WINDOW", 3600):
        ids = answered(client, version, 5)
        assert stored(version.tenant) == set()
        buffer.stop()
        assert stored(version.tenant) == ids
        late = answered(client, version, 1)
    assert stored(version.tenant) == ids | late


def test_a_full_buffer_pushes_back(client: APIClient, version: ModelVersion, buffer: LogBuffer) -> None:
    with (
        mock.patch.object(log_buffer, "WINDOW", 3600),
        mock.patch.object(log_buffer, "LARGEST", 2),
        mock.patch.object(log_buffer, "PATIENCE", 0.01),
    ):
        waiting = answered(client, version, 2)
        assert stored(version.tenant) == set()
        pushed = answered(client, version, 1)
        assert stored(version.tenant) == pushed
        buffer.stop()
    assert stored(version.tenant) == pushed | waiting


def test_whoever_waits_for_room_goes_on_as_soon_as_there_is_some(
    client: APIClient, version: ModelVersion, buffer: LogBuffer
) -> None:
    with mock.patch.object(log_buffer, "LARGEST", 1), mock.patch.object(log_buffer, "PATIENCE", 30):
        ids = answered(client, version, 3)
        assert buffer.wait_until_written(10)
    assert stored(version.tenant) == ids


def test_a_database_that_fails_for_a_while_loses_nothing(
    client: APIClient, version: ModelVersion, buffer: LogBuffer
) -> None:
    real, failed = insert_rows, threading.Event()

    def insert(rows: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise OperationalError("database is locked")
        real(rows)

    with mock.patch.object(log_buffer, "insert_rows", insert):
        ids = answered(client, version, 3)
        assert buffer.wait_until_written(10)
    assert failed.is_set()
    assert stored(version.tenant) == ids


def test_a_tenant_without_room_is_refused_as_ever_once_that_is_known(
    client: APIClient, version: ModelVersion, buffer: LogBuffer
) -> None:
    version.tenant.stored_rows = 1
    version.tenant.save()
    assert ask(client, version).status_code == 200
    assert buffer.wait_until_written(10)
    answer = ask(client, version)
    assert (answer.status_code, answer.json()["code"]) == (409, "limit_reached")


def test_the_setting_is_offered_by_the_api(version: ModelVersion, api_for: ApiFor) -> None:
    admin = api_for(version.tenant)
    changed = admin.patch("/api/v1/models/cancer", {"log_writing": "before"}).json()
    assert changed["log_writing"] == "before"
    assert admin.patch("/api/v1/models/cancer", {"log_writing": "never"}).status_code == 400
    connection.close()
