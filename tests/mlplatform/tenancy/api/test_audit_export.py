"""The trail as a file over REST."""

import json

import pytest

from mlplatform.tenancy.models import Tenant
from tests.conftest import ApiFor

EXPORT = "/api/v1/audit/export"


def test_the_export_streams_what_the_filters_choose(
    tenant: Tenant, other_tenant: Tenant, api_for: ApiFor
) -> None:
    client = api_for(tenant, "admin")
    answer = client.get(EXPORT, {"format": "jsonl", "action": "tenant.created"})
    assert answer["Content-Type"] == "application/jsonl; charset=utf-8"
    assert 'attachment; filename="audit-clinic-' in answer["Content-Disposition"]
    lines = b"".join(answer).decode().splitlines()
    assert [json.loads(line)["object_label"] for line in lines] == ["North Clinic"]


def test_the_csv_has_every_entry(tenant: Tenant, api_for: ApiFor) -> None:
    answer = api_for(tenant, "admin").get(EXPORT, {"format": "csv"})
    assert len(b"".join(answer).decode().splitlines()) == 1 + 3  # header; tenant, key, export


@pytest.mark.parametrize(("query", "status"), [({"format": "xml"}, 422), ({"acton": "x"}, 400)])
def test_a_wrong_request_is_a_problem_document(
    tenant: Tenant, api_for: ApiFor, query: dict[str, str], status: int
) -> None:
    answer = api_for(tenant, "admin").get(EXPORT, query)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")


def test_only_admins_take_it_out(tenant: Tenant, api_for: ApiFor) -> None:
    assert api_for(tenant, "read", "deploy").get(EXPORT).status_code == 403
