"""Requests per minute, through the API and the console: what passes, what is refused, and what is told."""

import time
from unittest import mock

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import ApiKey, AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from mlplatform.tenancy.services import requests
from mlplatform.tenancy.services.api_keys import create_api_key
from tests.conftest import ApiFor, ConsoleFor

WHOAMI, MODELS = "/api/v1/whoami", "/api/v1/models"


@pytest.fixture(autouse=True)
def noon() -> object:
    """Let the minute not change while a test counts."""
    with mock.patch("time.time", return_value=1_800_000_015.0) as clock:
        yield clock


def _limited(tenant: Tenant, requests_per_minute: int | None) -> APIClient:
    with tenant_scope(tenant):
        made = create_api_key(
            name="slow", scopes=["read"], by=SYSTEM, requests_per_minute=requests_per_minute
        )
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {made.secret}")
    return client


def _statuses(client: Client, times: int, path: str = WHOAMI) -> list[int]:
    return [client.get(path).status_code for _ in range(times)]


def _reached(tenant: Tenant) -> list[AuditEvent]:
    with tenant_scope(tenant), tenant_transaction():
        return list(AuditEvent.objects.filter(action="limit.reached"))


def test_a_refusal_says_why_and_when_to_come_back(tenant: Tenant) -> None:
    client = _limited(tenant, 2)
    assert _statuses(client, 2) == [200, 200]
    answer = client.get(WHOAMI)
    assert answer.status_code == 429
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["title"]) == ("limit_reached", "Limit reached")
    assert body["detail"] == "At most 2 requests a minute are taken from this API key. Wait 45 seconds."
    assert body["request_id"] == answer["X-Request-ID"]
    assert answer["Retry-After"] == "45"
    assert answer["RateLimit"] == '"key";r=0;t=45'


def test_every_answer_tells_where_the_limits_stand(tenant: Tenant, settings: Settings) -> None:
    settings.LIMITS = settings.LIMITS | {"requests_per_minute": 100}
    client = _limited(tenant, 10)
    client.get(WHOAMI)
    answer = client.get(f"{MODELS}/nothing")
    assert answer.status_code == 404
    assert answer["RateLimit-Policy"] == '"key";q=10;w=60, "keys";q=100;w=60'
    assert answer["RateLimit"] == '"key";r=8;t=45, "keys";r=98;t=45'


def test_the_next_minute_is_another(tenant: Tenant, noon: mock.Mock) -> None:
    client = _limited(tenant, 1)
    assert _statuses(client, 2) == [200, 429]
    noon.return_value += 45
    assert _statuses(client, 2) == [200, 429]


def test_the_keys_of_a_tenant_share_its_limit(tenant: Tenant, other_tenant: Tenant, api_for: ApiFor) -> None:
    tenant.requests_per_minute = 3
    tenant.save()
    first, second = api_for(tenant), api_for(tenant)
    assert _statuses(first, 2) + _statuses(second, 2) == [200, 200, 200, 429]
    assert "all keys of this tenant together" in first.get(WHOAMI).json()["detail"]
    assert _statuses(api_for(other_tenant), 4) == [200] * 4


def test_44_one_keys_flood_takes_nothing_of_what_is_left_for_others(tenant: Tenant, api_for: ApiFor) -> None:
    tenant.requests_per_minute = 4
    tenant.save()
    assert _statuses(_limited(tenant, 2), 10) == [200] * 2 + [429] * 8
    assert _statuses(api_for(tenant), 3) == [200, 200, 429]


def test_every_address_of_the_api_counts(tenant: Tenant) -> None:
    client = _limited(tenant, 4)
    assert client.get(f"{MODELS}/nothing").status_code == 404
    assert client.post(MODELS, {}).status_code == 403
    assert client.get("/api/v1/no-such-address").status_code == 404
    assert client.get("/api/v1/schema/").status_code == 200
    for path in (WHOAMI, MODELS, f"{MODELS}/nothing", "/api/v1/schema/", "/api/v1/no-such-address"):
        assert client.get(path).status_code == 429, path
        assert client.post(path, {}).status_code == 429, path


def test_a_refused_request_is_not_worked_on(tenant: Tenant) -> None:
    client = _limited(tenant, 1)
    body = {"name": "x", "requests_per_minute": 1}
    assert _statuses(client, 1) == [200]
    with mock.patch("mlplatform.api.views.PlatformView.dispatch", side_effect=AssertionError):
        assert client.post(MODELS, body).status_code == 429


def test_refusing_a_flood_asks_the_database_for_the_key_alone(tenant: Tenant) -> None:
    client = _limited(tenant, 1)
    assert _statuses(client, 2) == [200, 429]
    with CaptureQueriesContext(connection) as queries:
        assert client.get(WHOAMI).status_code == 429
    tables = {"tenancy_requestcount", "tenancy_auditevent", "tenancy_audithead"}
    assert not [one["sql"] for one in queries if any(table in one["sql"] for table in tables)]


def test_the_first_refusal_of_a_minute_is_in_the_trail(tenant: Tenant, noon: mock.Mock) -> None:
    client = _limited(tenant, 1)
    _statuses(client, 6)
    noon.return_value += 60
    _statuses(client, 6)
    found = _reached(tenant)
    assert [(event.actor_label, event.object_label) for event in found] == [
        ("slow", "Requests per minute"),
        ("slow", "Requests per minute"),
    ]
    with tenant_scope(tenant):
        key = ApiKey.objects.get()
    assert found[0].details == {"counter": f"key:{key.pk}", "limit": 1}
    assert found[0].request_id


def test_a_limit_that_is_raised_holds_within_seconds(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    client = _limited(tenant, 1)
    assert _statuses(client, 3) == [200, 429, 429]
    with tenant_scope(tenant), tenant_transaction():
        ApiKey.objects.update(requests_per_minute=2)
    assert _statuses(client, 1) == [429]
    later = time.monotonic() + requests.REFUSED_FOR
    monkeypatch.setattr(time, "monotonic", lambda: later)
    assert _statuses(client, 2) == [200, 429]


def test_a_flood_that_was_refused_asks_the_database_nothing(tenant: Tenant) -> None:
    client = _limited(tenant, 1)
    assert _statuses(client, 2) == [200, 429]
    with CaptureQueriesContext(connection) as asked:
        assert _statuses(client, 20) == [429] * 20
    assert len(asked) == 0


def test_other_credentials_are_not_refused_with_it(tenant: Tenant) -> None:
    flooding, calm = _limited(tenant, 1), _limited(tenant, 1)
    assert _statuses(flooding, 2) == [200, 429]
    assert _statuses(calm, 1) == [200]


def test_the_body_of_a_refused_request_is_read(tenant: Tenant) -> None:
    client = _limited(tenant, 1)
    _statuses(client, 2)
    answer = client.post(MODELS, {"name": "x" * 10_000})
    assert answer.status_code == 429
    assert answer.wsgi_request.read() == b""


def test_people_have_a_limit_of_their_own(
    tenant: Tenant, console_for: ConsoleFor, settings: Settings
) -> None:
    settings.PERSON_REQUESTS_PER_MINUTE = 2
    admin, viewer = console_for(tenant), console_for(tenant, "viewer")
    assert _statuses(admin, 1, "/admin/") + _statuses(admin, 2) == [200, 200, 429]
    page = admin.get("/admin/")
    assert page.status_code == 429
    assert page["Retry-After"] == "45"
    assert b"At most 2 requests a minute are taken from one person. Wait 45 seconds." in page.content
    assert _statuses(viewer, 1) == [200]


def test_44_a_program_that_runs_wild_does_not_lock_the_people_out(
    tenant: Tenant, api_for: ApiFor, console_for: ConsoleFor
) -> None:
    tenant.requests_per_minute = 3
    tenant.save()
    assert _statuses(api_for(tenant), 5)[-1] == 429
    admin = console_for(tenant)
    assert _statuses(admin, 3, "/admin/tenancy/apikey/") == [200] * 3
    assert _statuses(admin, 1) == [429]


def test_who_is_not_signed_in_is_refused_before_counting(tenant: Tenant) -> None:
    with mock.patch.object(requests, "take_request", side_effect=AssertionError):
        assert Client().get(WHOAMI).status_code == 401
        assert Client().get(WHOAMI, HTTP_AUTHORIZATION="Bearer mlp_wrong").status_code == 401
        assert Client().get("/api/v1/health/live").status_code == 200


def test_what_is_remembered_of_full_counters_is_bounded(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "MOST_REMEMBERED", 2)
    for _ in range(4):
        assert _statuses(_limited(tenant, 1), 2) == [200, 429]
    assert len(requests._full) <= 2
