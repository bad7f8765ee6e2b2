"""Reports and their schedules over REST."""

from typing import Any

import pytest
from django.core import mail

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import add_member
from registry.models import ModelVersion
from tests.conftest import ApiFor
from tests.factories import make_champion
from tests.monitoring.conftest import Ask, tell

URL = "/api/v1/models/cancer/report"
SCHEDULES = "/api/v1/report-schedules"


@pytest.fixture
def told(champion: ModelVersion, ask: Ask) -> ModelVersion:
    tell(ask(20))
    return champion


def test_a_report_as_data(tenant: Tenant, told: ModelVersion, api_for: ApiFor) -> None:
    found = api_for(tenant, "read").get(URL).json()
    assert found["model"] == "cancer"
    assert len(found["verdict"]) == 3
    assert [one["title"] for one in found["chapters"]][:4] == ["Performance", "Drift", "Data", "Fairness"]
    kinds = {block["kind"] for chapter in found["chapters"] for block in chapter["blocks"]}
    assert {"sentence", "facts", "table", "picture"} <= kinds
    assert len(found["content_hash"]) == 64


@pytest.mark.parametrize(
    ("form", "media_type", "begins"),
    [("html", "text/html", b"<!doctype html>"), ("pdf", "application/pdf", b"%PDF-")],
)
def test_a_report_as_a_file(
    tenant: Tenant, told: ModelVersion, api_for: ApiFor, form: str, media_type: str, begins: bytes
) -> None:
    answer = api_for(tenant, "read").get(URL, {"format": form, "since": "2026-11-01", "until": "2026-11-02"})
    assert answer.status_code == 200
    assert answer["Content-Type"].startswith(media_type)
    assert f'filename="cancer-report-2026-11-01-2026-11-02.{form}"' in answer["Content-Disposition"]
    assert answer.content.startswith(begins)


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({"format": "docx"}, "invalid_report"),
        ({"since": "yesterday"}, "invalid"),
        ({"since": "2026-02-02", "until": "2026-02-01"}, None),
        ({"month": "5"}, "invalid"),
    ],
)
def test_what_makes_no_report_is_refused(
    tenant: Tenant, champion: ModelVersion, api_for: ApiFor, query: dict[str, str], code: str | None
) -> None:
    answer = api_for(tenant, "read").get(URL, query)
    assert answer.status_code in {400, 422}, answer.json()
    assert answer["Content-Type"] == "application/problem+json"
    assert code is None or code in str(answer.json())


def test_the_tenants_report_is_for_administrators(
    tenant: Tenant, told: ModelVersion, api_for: ApiFor
) -> None:
    assert api_for(tenant, "read").get("/api/v1/report").status_code == 403
    found = api_for(tenant, "read", "admin").get("/api/v1/report").json()
    assert found["model"] is None
    assert "cancer" in str(found["chapters"])


def test_the_trail_is_quoted_for_an_administrators_key_alone(
    tenant: Tenant, told: ModelVersion, api_for: ApiFor
) -> None:
    closed = api_for(tenant, "read").get(URL).json()
    open_ = api_for(tenant, "read", "admin").get(URL).json()
    assert closed["made"]["Audit trail"] == "counted, not quoted"
    assert "model.promoted" not in str(closed["chapters"])
    assert "model.promoted" in str(open_["chapters"])


def test_nothing_of_another_tenant_is_told(
    tenant: Tenant, other_tenant: Tenant, told: ModelVersion, api_for: ApiFor
) -> None:
    with tenant_scope(other_tenant):
        make_champion()
    client = api_for(other_tenant, "read", "admin")
    for url in (URL, "/api/v1/report"):
        found: dict[str, Any] = client.get(url).json()
        assert "asked for an answer" in found["verdict"][0] or "Nobody asked" in found["verdict"][0]
        assert tenant.name not in str(found)


def test_a_schedule_is_written_changed_sent_and_deleted(
    tenant: Tenant, told: ModelVersion, api_for: ApiFor
) -> None:
    add_member(email="ada@clinic.example", role="admin", by=SYSTEM)
    client = api_for(tenant, "admin")
    body = {"name": "Committee", "model": "cancer", "rhythm": "weekly", "recipients": ["ada@clinic.example"]}
    made = client.post(SCHEDULES, body)
    assert made.status_code == 201, made.json()
    url = f"{SCHEDULES}/{made.json()['id']}"
    assert client.patch(url, {"files": "html"}).json()["files"] == "html"
    assert [one["name"] for one in client.get(SCHEDULES, {"rhythm": "weekly"}).json()["results"]] == [
        "Committee"
    ]
    mail.outbox.clear()
    assert client.post(f"{url}/send").status_code == 202
    assert client.delete(url).status_code == 204
    assert client.get(url).status_code == 404


def test_a_reader_who_is_no_member_is_refused_at_the_field(
    tenant: Tenant, champion: ModelVersion, api_for: ApiFor
) -> None:
    body = {"name": "Out", "model": "cancer", "recipients": ["eve@elsewhere.example"]}
    answer = api_for(tenant, "admin").post(SCHEDULES, body)
    assert answer.status_code == 422
    assert "recipients" in answer.json()["errors"]
