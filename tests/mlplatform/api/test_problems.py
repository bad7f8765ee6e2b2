"""Errors of the API are RFC 9457 problem documents, whatever goes wrong."""

from collections.abc import Callable

import pytest
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant

ApiFor = Callable[..., APIClient]
KEYS = "/api/v1/api-keys"


def check_problem(answer: object, status: int, code: str) -> dict[str, object]:
    assert answer.status_code == status, answer.content  # type: ignore[attr-defined]  # a test response
    assert answer["Content-Type"] == "application/problem+json"  # type: ignore[index]
    body: dict[str, object] = answer.json()  # type: ignore[attr-defined]
    assert (body["status"], body["code"]) == (status, code)
    assert body["request_id"]
    assert body["detail"]
    return body


def test_unknown_address(db: None) -> None:
    check_problem(Client().get("/api/v1/nothing-here"), 404, "not_found")


def test_unknown_address_outside_the_api_is_a_page(db: None) -> None:
    answer = Client().get("/nothing-here")
    assert answer.status_code == 404
    assert "html" in answer["Content-Type"]


def test_wrong_method(tenant: Tenant, api_for: ApiFor) -> None:
    check_problem(api_for(tenant).put("/api/v1/whoami"), 405, "method_not_allowed")


def test_missing_right(tenant: Tenant, api_for: ApiFor) -> None:
    check_problem(api_for(tenant, "read").get(KEYS), 403, "permission_denied")


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"",
        b'{"name": NaN}',
        b'{"name": "a", "name": "b"}',
        b"\xff\xfe",
        b"[" * 100_000,
        b'{"scopes": Infinity}',
    ],
)
def test_body_that_is_not_json(tenant: Tenant, api_for: ApiFor, body: bytes) -> None:
    answer = api_for(tenant).post(KEYS, data=body, content_type="application/json")
    assert answer.status_code == 400
    assert answer["Content-Type"] == "application/problem+json"


def test_other_content_type(tenant: Tenant, api_for: ApiFor) -> None:
    answer = api_for(tenant).post(KEYS, data=b"<x/>", content_type="application/xml")
    check_problem(answer, 415, "unsupported_media_type")


def test_body_over_the_limit(tenant: Tenant, api_for: ApiFor, settings: Settings) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 10_000
    answer = api_for(tenant).post(KEYS, data=b'"' + b"x" * 20_000 + b'"', content_type="application/json")
    check_problem(answer, 413, "too_large")


def test_schema_and_its_browser_are_for_those_who_signed_in(tenant: Tenant, api_for: ApiFor) -> None:
    assert Client().get("/api/v1/schema/").status_code == 401
    assert Client().get("/api/v1/docs/").status_code == 401
    page = api_for(tenant).get("/api/v1/docs/")
    assert page.status_code == 200
    for address in ("https://cdn", "//unpkg", "fonts.googleapis"):
        assert address not in page.content.decode()
