"""Past predictions over REST."""

from typing import Any

import pytest
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from registry.models import ModelVersion, Prediction
from tests.conftest import ApiFor
from tests.console import past_of
from tests.factories import rows_of

URL = "/api/v1/models/cancer/past-predictions"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A key that may give outcomes and read."""
    return api_for(tenant, "feedback", "read")


def send(client: APIClient, body: bytes, query: str = "", kind: str = "text/csv", **headers: str) -> Any:
    return client.generic("POST", f"{URL}{query}", body, kind, headers=headers)  # type: ignore[arg-type]  # bytes do


def test_a_file_is_imported_once_under_its_key(client: APIClient, champion: ModelVersion) -> None:
    body, key = past_of(rows_of(champion, 3)).getvalue(), {"Idempotency-Key": "march"}
    first, again = send(client, body, **key), send(client, body, **key)
    assert first.status_code == 201
    assert (first.json()["predictions"], first.json()["outcomes"]) == (3, 3)
    assert (again.json(), again["Idempotency-Replayed"]) == (first.json(), "true")
    assert send(client, body + b"\n", **key).json()["code"] == "idempotency_key_reused"
    assert send(client, body).json()["known_file"]
    assert Prediction.objects.count() == 3


def test_bad_lines_are_listed_and_a_preview_stores_nothing(client: APIClient, champion: ModelVersion) -> None:
    body = past_of(rows_of(champion, 2)).getvalue() + b"1,2\n"
    refused = send(client, body)
    assert (refused.status_code, refused.json()["errors"][0]["line"]) == (422, 3)
    shown = send(client, body, "?preview=true")
    assert (shown.status_code, shown.json()["predictions"], shown.json()["refused"]) == (200, 2, 1)
    assert not Prediction.objects.exists()


def test_columns_are_named_in_the_address(client: APIClient, champion: ModelVersion) -> None:
    body = past_of(rows_of(champion, 2)).getvalue().replace(b"predicted_at", b"time")
    assert send(client, body, "?columns=predicted_at=time").json()["predictions"] == 2
    assert send(client, body, "?columns=nonsense").status_code == 400


@pytest.mark.parametrize(("kind", "status"), [("application/json", 415), ("text/csv", 422)])
def test_what_is_no_table_is_refused(
    kind: str, status: int, client: APIClient, champion: ModelVersion
) -> None:
    assert send(client, b"{}", kind=kind).status_code == status
