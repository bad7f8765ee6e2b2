"""Datasets over REST."""

import io
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Role, Tenant
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import table

DATASETS = "/api/v1/datasets"


@pytest.fixture
def client(tenant: Tenant, api_for: ApiFor) -> APIClient:
    """A client with every scope of the clinic."""
    return api_for(tenant)


def csv() -> bytes:
    return table().to_csv(index=False).encode()


def upload(client: APIClient, content: bytes, filename: str = "biopsies.csv", **fields: str) -> Any:
    body = {"name": "biopsies", "file": SimpleUploadedFile(filename, content), **fields}
    return client.post(DATASETS, body, format="multipart")


def test_an_upload_is_frozen_once(client: APIClient) -> None:
    first, second = upload(client, csv()), upload(client, csv(), name="again")
    assert (first.status_code, second.status_code) == (201, 200)
    assert first.json()["created"]
    assert second.json()["id"] == first.json()["id"]
    assert first.json()["rows"] == 569


def test_a_parquet_file_is_read_whatever_its_name(client: APIClient) -> None:
    buffer = io.BytesIO()
    table().to_parquet(buffer)
    assert upload(client, buffer.getvalue(), "rows.csv").status_code == 201


def test_it_is_listed_without_and_shown_with_its_profile(client: APIClient) -> None:
    pk = upload(client, csv()).json()["id"]
    listed = client.get(DATASETS, {"search": "biop"}).json()["results"]
    assert [row["id"] for row in listed] == [pk]
    assert "profile" not in listed[0]
    shown = client.get(f"{DATASETS}/{pk}").json()
    assert shown["profile"]["columns"]["diagnosis"]["distinct"] == 2


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"\x80\x04\x95pickle", "never opened"),
        (b"1,2\n" * 30, "Add a header line"),
        (b"a,b\n1,2\n1\n" + b"1,2\n" * 30, "Line 3 has 1 cells"),
        (b"", "empty"),
    ],
)
def test_what_is_no_table_is_refused_with_a_sentence(
    client: APIClient, content: bytes, sentence: str
) -> None:
    answer = upload(client, content)
    assert answer.status_code == 422
    assert answer.json()["code"] == "unreadable_file"
    assert sentence in answer.json()["detail"]


def test_a_file_over_the_limit_answers_413(client: APIClient, settings: object) -> None:
    settings.MAX_UPLOAD_BYTES = 1000  # type: ignore[attr-defined]  # pytest-django's wrapper
    assert upload(client, csv()).status_code == 413


def test_a_body_that_announces_too_much_is_not_read(client: APIClient, settings: object) -> None:
    settings.MAX_UPLOAD_BYTES = 1000  # type: ignore[attr-defined]  # pytest-django's wrapper
    answer = client.post(
        DATASETS, b"nothing", content_type="multipart/form-data; boundary=x", CONTENT_LENGTH="9000000"
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "file_too_large")


def test_unknown_fields_and_missing_files_are_refused(client: APIClient) -> None:
    assert set(upload(client, csv(), tenant="winery").json()["errors"]) == {"tenant"}
    assert set(client.post(DATASETS, {"name": "x"}, format="multipart").json()["errors"]) == {"file"}
    assert client.post(DATASETS, {"name": "x"}).status_code == 415


def test_another_tenant_sees_nothing(client: APIClient, other_tenant: Tenant, api_for: ApiFor) -> None:
    pk = upload(client, csv()).json()["id"]
    stranger = api_for(other_tenant)
    assert stranger.get(f"{DATASETS}/{pk}").status_code == 404
    assert stranger.get(DATASETS).json()["results"] == []


def test_a_viewer_may_look_but_not_upload(tenant: Tenant, console_for: ConsoleFor) -> None:
    viewer = console_for(tenant, Role.VIEWER)
    assert viewer.get(DATASETS).status_code == 200
    assert viewer.post(DATASETS, {"name": "x"}).status_code == 403
