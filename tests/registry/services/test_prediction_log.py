"""Rows of the log as they are stored: alike by both ways, many requests at once, all or none."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from unittest import mock

import pytest
from django.db import DatabaseError, OperationalError, connection
from django.utils import timezone

from mlplatform.lines import _Waiting
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.errors import NoRoom
from mlplatform.tenancy.models import Tenant, Usage
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services.tenants import create_tenant
from registry.models import ModelVersion, Prediction
from registry.models.prediction import time_ordered_uuid
from registry.services import prediction_log
from registry.services.prediction_log import store_rows
from tests.factories import make_champion

THREADS, EACH = 8, 10


def _row(version: ModelVersion, **values: Any) -> dict[str, Any]:
    """A row that differs from every default."""
    row = {
        "id": time_ordered_uuid(),
        "model_id": version.model_id,
        "version_id": version.pk,
        "entity_key": "p:1",
        "features": {"a": 1, "b": 0.1, "c": 'süd\'s "x" %s', "d": None, "e": True},
        "label": "benign",
        "value": 1e-7,
        "probabilities": {"benign": 0.75, "malignant": 0.25},
        "engine": "onnx",
        "latency_ms": 1.5,
        "request_id": "request-1",
        "asked_by": "api key test",
        "created_at": timezone.now(),
    }
    return row | values


def _stored(version: ModelVersion) -> list[Prediction]:
    with tenant_scope(version.tenant), tenant_transaction():
        return list(Prediction.objects.order_by("created_at"))


def _used(tenant: Tenant) -> int:
    with tenant_scope(tenant), tenant_transaction():
        return sum(Usage.objects.values_list("stored_rows", flat=True))


@pytest.fixture(params=["in a transaction", "by itself"])
def version(request: pytest.FixtureRequest) -> ModelVersion:
    """A champion; ``by itself`` nothing is open around the writing, as on the server."""
    alone = request.param == "by itself"
    request.getfixturevalue("transactional_db" if alone else "db")
    with tenant_scope(create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)):
        return make_champion()


def test_a_row_is_stored_as_the_model_itself_would_store_it(version: ModelVersion) -> None:
    now = timezone.now()
    rows = [
        _row(version, created_at=now),
        _row(version, label="", value=None, created_at=now + timedelta(seconds=1)),
        _row(version, probabilities=None, entity_key="", created_at=now.replace(microsecond=0)),
    ]
    with tenant_scope(version.tenant):
        store_rows(rows)
        for row in rows:
            found = Prediction.objects.get(pk=row["id"])
            twin = Prediction(**row | {"id": time_ordered_uuid()})
            with tenant_transaction():
                twin.save(force_insert=True)
            twin.refresh_from_db()
            for column in Prediction._meta.concrete_fields:
                if column.name != "id":
                    ours, theirs = getattr(found, column.attname), getattr(twin, column.attname)
                    assert (ours, type(ours)) == (theirs, type(theirs)), column.name
            assert Prediction.objects.filter(features__a=1, pk=row["id"]).exists()


def test_rows_take_room(version: ModelVersion) -> None:
    before = _used(version.tenant)
    with tenant_scope(version.tenant):
        store_rows([_row(version), _row(version)])
    assert _used(version.tenant) == before + 2


def test_where_there_is_no_room_nothing_is_stored(version: ModelVersion) -> None:
    version.tenant.stored_rows = _used(version.tenant) + 1
    version.tenant.save()
    with tenant_scope(version.tenant):
        with pytest.raises(NoRoom):
            store_rows([_row(version), _row(version)])
        store_rows([_row(version)])
    assert len(_stored(version)) == 1


@pytest.mark.django_db(transaction=True)
def test_many_at_once_are_all_stored_in_few_transactions() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    with tenant_scope(tenant):
        version = make_champion()
    start = Barrier(THREADS)

    def ask(thread: int) -> None:
        start.wait(timeout=30)
        with tenant_scope(tenant):
            for place in range(EACH):
                store_rows([_row(version, entity_key=f"{thread}-{place}")])
                # Whoever was answered finds the row.
                assert Prediction.objects.filter(entity_key=f"{thread}-{place}").exists()
        connection.close()

    before = _used(tenant)
    with (
        mock.patch.object(prediction_log, "insert_rows", wraps=prediction_log.insert_rows) as insert,
        ThreadPoolExecutor(THREADS) as threads,
    ):
        list(threads.map(ask, range(THREADS)))
    keys = {row.entity_key for row in _stored(version)}
    assert keys == {f"{thread}-{place}" for thread in range(THREADS) for place in range(EACH)}
    assert _used(tenant) == before + THREADS * EACH
    assert insert.call_count <= THREADS * EACH


@pytest.mark.django_db(transaction=True)
def test_one_request_that_cannot_be_stored_keeps_no_other_out() -> None:
    tenant = create_tenant(slug="clinic", name="North Clinic", by=SYSTEM)
    with tenant_scope(tenant):
        version = make_champion()
    bad = [_row(version, latency_ms=None)]
    line = prediction_log.new_line()
    waiting = [_Waiting[Any, None](rows) for rows in ([_row(version)], bad, [_row(version)])]
    with tenant_scope(tenant):
        line._do(waiting)
    errors = [one.error for one in waiting]
    assert errors[0] is None
    assert errors[2] is None
    assert isinstance(errors[1], DatabaseError)
    assert len(_stored(version)) == 2
    with tenant_scope(tenant):
        line.ask([_row(version)])
    assert len(_stored(version)) == 3


def test_rows_that_are_stored_already_are_not_stored_again(version: ModelVersion) -> None:
    rows = [_row(version), _row(version)]
    before = _used(version.tenant)
    with tenant_scope(version.tenant):
        store_rows(rows[:1])
        store_rows(rows)
        store_rows(rows)
    assert len(_stored(version)) == 2
    assert _used(version.tenant) == before + 2


def test_whoever_waits_is_told_when_the_writer_breaks_down(in_tenant: Tenant) -> None:
    version = make_champion()
    line = prediction_log.new_line()
    with (
        mock.patch.object(prediction_log, "insert_rows", side_effect=MemoryError),
        pytest.raises(MemoryError),
    ):
        line.ask([_row(version)])
    with (
        mock.patch.object(prediction_log, "insert_rows", side_effect=OperationalError),
        pytest.raises(OperationalError),
    ):
        line.ask([_row(version)])
    line.ask([_row(version)])
    assert len(_stored(version)) == 1


def test_a_large_number_of_rows_is_stored_at_once(in_tenant: Tenant) -> None:
    version = make_champion()
    store_rows([_row(version) for _ in range(1000)])
    assert len(_stored(version)) == 1000
