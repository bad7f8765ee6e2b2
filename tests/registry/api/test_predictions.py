"""The log of predictions over REST."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.privacy.pseudonyms import is_pseudonym
from registry.services.serving import predict
from tests.conftest import ApiFor
from tests.factories import make_champion, make_model, rows_of

PREDICTIONS = "/api/v1/predictions"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client of the clinic, which has answered 5 rows with one model and 1 with another."""
    with tenant_scope(tenant):
        cancer, diabetes = make_champion(), make_champion(make_model(data="diabetes"))
        predict(
            model=cancer.model, rows=rows_of(cancer, 5), by=SYSTEM, entity_keys=["a", "b", None, None, None]
        )
        predict(model=diabetes.model, rows=rows_of(diabetes), by=SYSTEM)
    return api_for(tenant)


def answers(client: APIClient, **filters: Any) -> list[dict[str, Any]]:
    """The first page of predictions for these filters."""
    found = client.get(PREDICTIONS, filters)
    assert found.status_code == 200, found.json()
    results: list[dict[str, Any]] = found.json()["results"]
    return results


def test_filters_narrow_the_log(client: APIClient) -> None:
    assert len(answers(client)) == 6
    assert len(answers(client, model="cancer", version=1)) == 5
    assert len(answers(client, version=2)) == 0
    (of_a,) = answers(client, entity_key="a")
    assert is_pseudonym(of_a["entity_key"])
    assert answers(client, entity_key=of_a["entity_key"]) == [of_a]
    assert answers(client, entity_key="b") != [of_a]
    assert {given["label"] for given in answers(client, label="malignant")} == {"malignant"}


def test_times_narrow_the_log(client: APIClient) -> None:
    soon = (timezone.now() + timedelta(hours=1)).isoformat()
    assert len(answers(client, created_before=soon)) == 6
    assert len(answers(client, created_after=soon)) == 0


@pytest.mark.parametrize(
    "filters",
    [
        {"modell": "cancer"},
        {"version": "x"},
        {"created_after": "soon"},
        {"model__tenant": "1"},
        {"label": "\0"},
    ],
)
def test_a_filter_that_cannot_be_read_is_refused(client: APIClient, filters: dict[str, str]) -> None:
    assert client.get(PREDICTIONS, filters).status_code == 400


def test_pages_show_each_row_once(client: APIClient) -> None:
    seen, page = [], client.get(PREDICTIONS, {"limit": 2}).json()
    while page["next"]:
        seen += page["results"]
        page = client.get(page["next"]).json()
    seen += page["results"]
    assert len({given["id"] for given in seen}) == len(seen) == 6


def test_one_prediction_by_id(client: APIClient, other_tenant: Tenant, api_for: ApiFor) -> None:
    first = answers(client)[0]
    address = f"{PREDICTIONS}/{first['id']}"
    assert client.get(address).json() == first
    foreign = api_for(other_tenant).get(address)
    assert (foreign.status_code, foreign.json()["code"]) == (404, "prediction_not_found")
