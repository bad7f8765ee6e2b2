"""Every list of the API: pages, filters, and what they cost, on a tenant with a whole loop behind it."""

import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.services.serving import predict
from tests.conftest import ApiFor
from tests.console import Furnished, furnish
from tests.factories import make_dataset, make_model, rows_of, table
from training.services.schedules import create_schedule

API = "/api/v1"
LISTS = [
    "models", "models/cancer/versions", "models/cancer/deployments", "predictions", "datasets", "jobs",
    "schedules", "outcomes", "alerts", "alert-rules", "drift-reports", "performance-snapshots", "decisions",
    "members", "api-keys", "audit",
]  # fmt: skip
# A list, a filter that all of its rows pass, and one that none passes.
FILTERS = [
    ("models", "search=can", "search=xyz"),
    ("models", "problem_type=classification", "problem_type=regression"),
    ("models/cancer/versions", "status=ready", "status=failed"),
    ("models/cancer/versions", "algorithm=logistic_regression", "algorithm=knn"),
    ("predictions", "model=cancer&version=1", "version=2"),
    ("predictions", "created_after=2020-01-01T00:00:00Z", "created_before=2020-01-01T00:00:00Z"),
    ("alerts", "created_after=2020-01-01T00:00:00-20:42", "created_before=2020-01-01T00:00:00%2B20:42"),
    ("datasets", "search=can", "name=other"),
    ("datasets", "created_after=2020-01-01T00:00:00Z", "created_before=2020-01-01T00:00:00Z"),
    ("jobs", "model=cancer&state=queued", "state=running"),
    ("jobs", "trigger=manual", "trigger=schedule"),
    ("schedules", "model=cancer&kind=cron", "kind=interval"),
    ("schedules", "enabled=true", "enabled=false"),
    ("outcomes", "model=cancer&version=1", "version=2"),
    ("outcomes", "received_before=2100-01-01T00:00:00Z&current=true", "source=file"),
    ("outcomes", "received_after=2020-01-01T00:00:00Z", "received_before=2020-01-01T00:00:00Z"),
    ("alerts", "model=cancer&version=1&state=open", "state=resolved"),
    ("alerts", "created_after=2020-01-01T00:00:00Z", "created_before=2020-01-01T00:00:00Z"),
    ("alert-rules", "model=cancer&enabled=true", "severity=info"),
    ("drift-reports", "model=cancer&version=1", "version=2"),
    ("performance-snapshots", "model=cancer&version=1", "version=2"),
    ("decisions", "model=cancer&state=declined", "state=promoted"),
]


@pytest.fixture
def furnished(tenant: Tenant) -> Furnished:
    """A clinic with a row at least of everything."""
    return furnish(tenant)


@pytest.fixture
def client(furnished: Furnished, api_for: ApiFor) -> APIClient:
    """A key with every scope."""
    return api_for(furnished.tenant)


def rows(client: APIClient, address: str) -> list[dict[str, Any]]:
    answer = client.get(f"{API}/{address}")
    assert answer.status_code == 200, (address, answer.content)
    found: list[dict[str, Any]] = answer.json()["results"]
    return found


def walked(client: APIClient, name: str) -> list[str]:
    """Every row of the list, read page by page."""
    seen, address = [], f"{API}/{name}?limit=2"
    while address:
        page = client.get(address).json()
        assert len(page["results"]) <= 2
        seen += [repr(row) for row in page["results"]]
        address = page["next"]
    return seen


def test_every_list_can_be_read_page_by_page_and_shows_each_row_once(client: APIClient) -> None:
    for name in LISTS:
        seen = walked(client, name)
        whole = [repr(row) for row in rows(client, f"{name}?limit=200")]
        assert seen == whole, name
        assert len(set(seen)) == len(seen) > 0, name


def test_every_list_refuses_a_filter_that_it_does_not_know_and_names_its_own(client: APIClient) -> None:
    for name in LISTS:
        for unknown in ("stat", "tenant", "model__tenant__slug", "id__gt"):
            answer = client.get(f"{API}/{name}", {unknown: "1"})
            assert answer.status_code == 400, (name, unknown)
            assert "Choose from" in str(answer.json()["errors"][unknown]), name


def test_filters_keep_what_fits_and_leave_out_the_rest(client: APIClient) -> None:
    for name, fitting, unfitting in FILTERS:
        everything = rows(client, f"{name}?limit=200")
        kept = rows(client, f"{name}?limit=200&{fitting}")
        left = rows(client, f"{name}?limit=200&{unfitting}")
        assert kept == everything, (name, fitting)
        assert left == [], (name, unfitting)


def test_a_filter_that_cannot_be_read_is_refused(client: APIClient) -> None:
    for address in (
        "jobs?state=asleep", "alerts?severity=huge", "predictions?version=two", "datasets?created_after=soon",
        "outcomes?prediction=7", "schedules?kind=moon", "models?problem_type=magic", "alerts?created_after=x",
    ):  # fmt: skip
        answer = client.get(f"{API}/{address}")
        assert answer.status_code == 400, address
        assert answer.json()["errors"], address


def test_times_are_iso_8601_in_utc(client: APIClient) -> None:
    for name in LISTS:
        for row in rows(client, name):
            times = [value for key, value in row.items() if key.endswith("_at") and value is not None]
            assert all(value.endswith("Z") and "T" in value for value in times), (name, row)


def test_no_list_tells_a_secret(client: APIClient) -> None:
    for name in LISTS:
        text = re.sub(r"'\w+': (?:'\[left out\]'|none)", "", str(rows(client, name)).lower())
        for secret in ("password", "secret_hash", "claim_token", "artifact_signature", "hashed"):
            assert f"'{secret}'" not in text, (name, secret)


def test_more_rows_cost_no_more_queries(client: APIClient, furnished: Furnished) -> None:
    rows(client, "models")  # the key's first use is noted, which costs a query once
    before = costs(client)
    with tenant_scope(furnished.tenant):
        for number in range(3):
            model = make_model(f"model-{number}")
            create_schedule(model=model, name=f"every {number}", by=SYSTEM, cron=f"{number} 3 * * *")
            make_dataset(frame=table().head(60 + number))
        predict(model=furnished.model, rows=rows_of(furnished.champion, 5), by=SYSTEM)
    assert costs(client) == before


def costs(client: APIClient) -> dict[str, int]:
    """How many queries each list takes."""
    found = {}
    for name in LISTS:
        with CaptureQueriesContext(connection) as queries:
            rows(client, name)
        found[name] = len(queries)
    return found


def test_a_page_after_new_rows_came_in_goes_on_where_it_stopped(
    client: APIClient, furnished: Furnished
) -> None:
    first = client.get(f"{API}/predictions?limit=10").json()
    with tenant_scope(furnished.tenant):
        predict(model=furnished.model, rows=rows_of(furnished.champion, 5), by=SYSTEM)
    second = client.get(first["next"]).json()
    shown = [row["id"] for row in first["results"] + second["results"]]
    assert len(set(shown)) == 20
    assert second["previous"]
