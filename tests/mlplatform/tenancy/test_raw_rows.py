"""Rows written past the ORM are the rows that it would have written, however many there are."""

from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.db import IntegrityError
from django.utils import timezone

from feedback.models import Outcome
from mlplatform.tenancy import raw_rows
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.raw_rows import insert_rows
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import Prediction
from registry.models.prediction import time_ordered_uuid
from tests.factories import make_champion

pytestmark = pytest.mark.usefixtures("in_tenant")


def rows(count: int) -> list[dict[str, Any]]:
    """Rows for the log that say as little as they may."""
    version, now = make_champion(), timezone.now()
    return [
        {
            "id": time_ordered_uuid(),
            "model_id": version.model_id,
            "version_id": version.pk,
            "features": {"place": place},
            "latency_ms": 1.0,
            "asked_by": "somebody",
            "created_at": now + timedelta(microseconds=place),
        }
        for place in range(count)
    ]


@pytest.mark.parametrize("at_once", [1, 3, 7, 8])
def test_all_rows_are_written_once_in_statements_of_any_size(in_tenant: Tenant, at_once: int) -> None:
    given = rows(7)
    with (
        mock.patch.multiple(raw_rows, ROWS_IN_STATEMENT=at_once, AT_ONCE=at_once),
        tenant_transaction(),
    ):
        insert_rows(Prediction, given)
    found = list(Prediction.objects.order_by("created_at"))
    assert [one.pk for one in found] == [row["id"] for row in given]
    assert [one.features["place"] for one in found] == list(range(7))
    assert {(one.tenant_id, one.label, one.value, one.rolled_up) for one in found} == {
        (in_tenant.pk, "", None, False)
    }


def test_a_row_twice_is_an_error_of_django_and_nothing_is_written() -> None:
    given = rows(3)
    with pytest.raises(IntegrityError), tenant_transaction():
        insert_rows(Prediction, [*given, given[0]])
    assert not Prediction.objects.exists()


def test_a_number_that_the_database_gives_is_left_to_it() -> None:
    given = rows(2)
    outcomes = [
        {
            "prediction_id": row["id"],
            "model_id": row["model_id"],
            "label": "benign",
            "received_at": row["created_at"],
            "received_from": "somebody",
        }
        for row in given
    ]
    with tenant_transaction():
        insert_rows(Prediction, given)
        insert_rows(Outcome, outcomes)
    assert {one.prediction_id for one in Outcome.objects.all()} == {row["id"] for row in given}
    assert all(one.pk for one in Outcome.objects.all())
