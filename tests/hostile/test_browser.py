"""Inputs that a browser, a log or a spreadsheet would be turned by."""

import logging
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.csv_cells import safe_cell
from mlplatform.tenancy.models import ApiKey, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion
from tests.conftest import ConsoleFor
from tests.markup import forbidden_in

SCRIPTS = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    '"><svg onload=alert(1)>',
    "{{7*191}}{% debug %}",
    "${7*7}`alert(1)`",
    "</script><script>alert(1)</script>",
    "javascript:alert(1)",
]
CRON = "0 3 * * *"
ELSEWHERE = ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x"]
OF_EACH_SORT = ["/admin/", "/api/v1/models", "/api/v1/docs/", "/static/platform/console.css"]
LIST = "/admin/registry/registeredmodel/"


def test_11_a_form_without_its_token_or_from_elsewhere_is_refused(
    tenant: Tenant, console_for: ConsoleFor
) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = console_for(tenant).cookies
    token = {"X-CSRFToken": "x" * 32}
    body = {"name": "x", "scopes": ["read"]}
    assert strict.post("/admin/tenancy/apikey/add/", body).status_code == 403
    assert strict.post("/admin/tenancy/apikey/add/", body, headers=token).status_code == 403
    for origin in ("https://evil.example", "null"):
        answer = strict.post("/admin/tenancy/apikey/add/", body, headers={"Origin": origin, **token})
        assert answer.status_code == 403
    assert strict.post("/api/v1/models", body, content_type="application/json").status_code == 403
    with tenant_scope(tenant), tenant_transaction():
        assert not ApiKey.objects.exists()


@pytest.mark.parametrize("text", SCRIPTS)
def test_12_a_script_in_any_text_is_shown_as_text(
    champion: ModelVersion, client: APIClient, admin: Client, text: str
) -> None:
    file = SimpleUploadedFile(f"{text[:40].replace('/', '_')}.csv", b"a,b\n" + b"1,2\n" * 30)
    sent = [
        client.patch("/api/v1/models/cancer", {"description": text}),
        client.post("/api/v1/api-keys", {"name": text, "scopes": ["read"]}),
        client.post("/api/v1/datasets", {"name": text, "file": file}, format="multipart"),
        client.post(
            "/api/v1/schedules", {"model": "cancer", "name": text, "kind": "cron", "cron": "0 3 * * *"}
        ),
    ]
    assert {answer.status_code for answer in sent} <= {200, 201}
    pages = [
        "/admin/",
        f"{LIST}{champion.model_id}/change/",
        "/admin/tenancy/apikey/",
        "/admin/registry/dataset/",
        "/admin/training/retrainingschedule/",
        "/admin/tenancy/auditevent/",
    ]
    for address in pages:
        page = admin.get(address).content.decode()
        assert forbidden_in(page) == [], address
        assert "1337" not in page, address


def test_12_a_script_in_a_column_or_a_class_is_shown_as_text(client: APIClient, admin: Client) -> None:
    name, label = SCRIPTS[0], "<b onclick=x>yes"
    lines = [f'"{name}",answer'] + [f'{number},"{label if number % 2 else "no"}"' for number in range(40)]
    file = SimpleUploadedFile("rows.csv", "\n".join(lines).encode())
    made = client.post("/api/v1/datasets", {"name": "odd", "file": file}, format="multipart")
    assert made.status_code == 201
    page = admin.get(f"/admin/registry/dataset/{made.json()['id']}/change/").content.decode()
    assert "onclick=x" in page
    assert forbidden_in(page) == []


@pytest.mark.parametrize("offered", ["a\r\nSet-Cookie: x=1", "\x1b[31mred", "x" * 1_000_000, "a b", ""])
def test_13_a_request_id_that_would_break_header_or_log_is_replaced(
    client: APIClient, caplog: pytest.LogCaptureFixture, offered: str
) -> None:
    with caplog.at_level(logging.INFO):
        answer = client.get("/api/v1/models", headers={"X-Request-ID": offered})
    assert answer["X-Request-ID"] != offered
    assert answer["X-Request-ID"].isalnum()
    assert "\x1b" not in caplog.text
    assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("first", ["=", "+", "-", "@", "\t", "\r", '"=', "\ufeff=", " =", "＝"])
def test_14_a_formula_leaves_as_text(first: str) -> None:
    cell = safe_cell(f"{first}HYPERLINK(1)")
    assert cell.startswith("'") or not cell.lstrip('"\ufeff ').startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "a@b"])
def test_40_an_unknown_host_is_refused(db: None, host: str) -> None:
    assert Client().get("/admin/login/", headers={"Host": host}).status_code in {302, 400}


@pytest.mark.parametrize(
    "elsewhere", ["//evil.example", "https://evil.example/", "/\\evil.example", "javascript:x"]
)
def test_40_no_page_leads_elsewhere(admin: Client, elsewhere: str) -> None:
    for address in ("/admin/", "/admin/login/", LIST):
        answer = admin.get(address, {"next": elsewhere, "_changelist_filters": elsewhere})
        parts = urlsplit(answer.headers.get("Location", "/").replace("\\", "/"))
        assert (parts.scheme, parts.netloc) == ("", "")


@pytest.mark.parametrize(
    "path", ["/admin/", "/api/v1/models", "/api/v1/docs/", "/static/platform/console.css"]
)
def test_40_nothing_may_be_put_into_a_frame(admin: Client, path: str) -> None:
    answer: Any = admin.get(path)
    assert answer["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in answer["Content-Security-Policy"]
    answer.close()


@pytest.mark.parametrize("name", ["mailto:x@evil.example", "a\r\nBcc: x@evil.example", "a\x00b"])
def test_43_a_name_that_would_be_a_header_stays_one_line_or_is_refused(client: APIClient, name: str) -> None:
    answer = client.post("/api/v1/members", {"email": "ann@clinic.example", "role": "viewer", "name": name})
    assert answer.status_code in {201, 400, 422}
    if answer.status_code == 201:
        assert "\n" not in answer.json()["name"]
