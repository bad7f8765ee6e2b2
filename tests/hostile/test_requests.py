"""Requests that are wrong below the level of fields: each gets a clear answer, and soon."""

import gzip
import time
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from django.utils.http import urlencode
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.services.loading import CACHE
from tests.conftest import ApiFor
from tests.factories import make_champion, rows_of

MODELS = "/api/v1/models"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    return api_for(tenant)


def refused(answer: Any, status: int, code: str) -> str:
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["code"] == code
    return f"{body['detail']} {body.get('errors', '')}"


def send(client: Any, body: bytes, **headers: Any) -> Any:
    return client.generic("POST", MODELS, body, content_type="application/json", **headers)


def test_16_a_body_in_chunks_is_refused_and_not_taken_for_empty(client: APIClient) -> None:
    answer = send(client, b"{}", headers={"Transfer-Encoding": "chunked"})
    assert "Content-Length" in refused(answer, 411, "length_required")


def test_16_an_announced_length_over_the_limit_is_refused_before_reading(
    client: APIClient, settings: Settings
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    answer = send(client, b"{}", CONTENT_LENGTH="1001")
    assert "1,000 bytes" in refused(answer, 413, "too_large")


def test_16_a_compressed_body_is_named_as_such(client: APIClient) -> None:
    assert "compressed" in refused(send(client, gzip.compress(b"{}")), 400, "parse_error")


def test_29_a_body_in_another_encoding_is_told_in_plain_words(client: APIClient) -> None:
    said = refused(send(client, '{"name": "é"}'.encode("latin-1")), 400, "parse_error")
    assert "not UTF-8" in said
    assert "codec" not in said


def test_29_a_number_of_thousands_of_digits_is_told_in_plain_words(client: APIClient) -> None:
    said = refused(send(client, b'{"name": ' + b"9" * 5000 + b"}"), 400, "parse_error")
    assert "thousands of digits" in said
    assert "sys." not in said


def test_29_a_repeated_name_among_very_many_is_found_at_once(client: APIClient) -> None:
    names = ",".join(f'"{number}":1' for number in range(100_000))
    started = time.monotonic()
    said = refused(send(client, f'{{{names},"99999":2}}'.encode()), 400, "parse_error")
    assert "'99999' stands twice" in said
    assert time.monotonic() - started < 5


def test_29_unknown_names_are_echoed_in_bounds(client: APIClient) -> None:
    body = {f"{'x' * 500}{number}": 1 for number in range(1000)}
    assert len(refused(client.post(MODELS, body), 400, "invalid_request")) < 5000


def test_29_a_list_for_an_object_is_told_without_type_names(client: APIClient) -> None:
    assert "Send an object" in refused(client.post(MODELS, []), 400, "invalid_request")


def test_29_another_media_type_is_told_which_one_to_send(client: APIClient) -> None:
    answer = client.generic("POST", MODELS, "a=b", content_type="text/plain")
    assert "application/json" in refused(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "TRACE", "PROPFIND"])
def test_41_a_method_that_an_address_does_not_have_is_no_question_of_rights(
    client: APIClient, method: str
) -> None:
    refused(client.generic(method, MODELS), 405, "method_not_allowed")


def test_40_an_unknown_host_gets_a_problem_document(db: None) -> None:
    refused(Client().get(MODELS, headers={"Host": "evil.example"}), 400, "unknown_host")


def test_40_an_unknown_host_gets_a_page_outside_the_api(db: None) -> None:
    answer = Client().get("/admin/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert "html" in answer["Content-Type"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize(
    ("path", "name"),
    [("/predictions", "created_after"), ("/outcomes", "received_before"), ("/audit", "at_after")],
)
def test_38_a_moment_that_does_not_exist_in_utc_is_refused(
    client: APIClient, path: str, name: str, moment: str
) -> None:
    said = refused(client.get(f"/api/v1{path}?{urlencode({name: moment})}"), 400, "invalid_request")
    assert "years 1 to 9999" in said


@pytest.mark.parametrize("position", ["p=abc", "p=%00", "p=9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("path", ["/outcomes", "/predictions", "/audit", "/models"])
def test_38_a_cursor_that_no_page_gave_out_is_refused(client: APIClient, path: str, position: str) -> None:
    cursor = b64encode(position.encode()).decode()
    said = refused(client.get(f"/api/v1{path}?{urlencode({'cursor': cursor})}"), 400, "invalid_request")
    assert "no cursor of this list" in said


def test_an_address_longer_than_an_account_holds_is_refused(client: APIClient) -> None:
    body = {"email": f"{'a' * 300}@clinic.example", "role": "viewer"}
    refused(client.post("/api/v1/members", body), 422, "invalid_input")


def test_an_artefact_that_cannot_be_read_answers_with_what_to_do(tenant: Tenant, client: APIClient) -> None:
    with tenant_scope(tenant):
        champion = make_champion()
        asked = {"row": rows_of(champion)[0]}
    CACHE.clear()
    stored = Path(default_storage.path(champion.artifact_file))
    stored.unlink()
    stored.mkdir()
    said = refused(client.post(f"{MODELS}/{champion.model.name}/predict", asked), 503, "artifact_corrupt")
    assert "cannot be read" in said
    assert "backup" in said


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ("limit=1000000000", 200),
        ("limit=-1", 200),
        ("limit=x", 200),
        ("offset=-1", 400),
        ("ordering=password", 400),
    ],
)
def test_38_a_page_is_never_larger_than_the_largest(client: APIClient, query: str, status: int) -> None:
    answer = client.get(f"{MODELS}?{query}")
    assert answer.status_code == status
    if status == 200:
        assert len(answer.json()["results"]) <= 200


@pytest.mark.parametrize("name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"])
def test_41_a_method_is_not_overridden(client: APIClient, name: str) -> None:
    assert client.get(MODELS, headers={name: "POST"}).status_code == 200
    assert client.post(f"{MODELS}?_method=DELETE", {}, headers={name: "DELETE"}).status_code == 400


@pytest.mark.parametrize("path", ["/debug", "/__debug__/", "/.env", "/.git/config"])
def test_41_what_others_leave_open_does_not_exist(db: None, path: str) -> None:
    assert Client().get(path).status_code == 404


def test_41_metrics_are_told_to_nobody_without_the_token(db: None) -> None:
    assert Client().get("/metrics").status_code == 401
