"""The trail from the command line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from tests.plugins.application_role import whole_database


def run(*arguments: str) -> Any:
    out = io.StringIO()
    call_command(*arguments, stdout=out)
    return json.loads(out.getvalue())


def test_whole_trails_are_said_to_be_whole(tenant: Tenant, other_tenant: Tenant) -> None:
    found = run("verify_audit", "--all-tenants", "--json")
    assert [(one["tenant"], one["whole"]) for one in found] == [("winery", True), ("clinic", True)]
    assert run("verify_audit", "--tenant", "clinic", "--anchor", found[1]["anchor"], "--json")[0]["whole"]


def test_a_broken_trail_is_named_and_fails(tenant: Tenant, other_tenant: Tenant) -> None:
    out = io.StringIO()
    with whole_database(), connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("ALTER TABLE tenancy_auditevent DISABLE TRIGGER USER")
        cursor.execute("UPDATE tenancy_auditevent SET action = 'x' WHERE tenant_id = %s", [tenant.pk])
    with pytest.raises(CommandError, match="trail of clinic is broken at entry 1") as failure:
        call_command("verify_audit", "--all-tenants", "--json", stdout=out)
    assert failure.value.returncode == 1
    assert [one["whole"] for one in json.loads(out.getvalue())] == [True, False]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--tenant", "clinic", "--anchor", "nonsense"], "is no anchor"),
        (["--all-tenants", "--anchor", "1:abc"], "belongs to one tenant"),
        (["--tenant", "nobody"], "There is no tenant"),
        ([], "required"),
    ],
)
def test_wrong_arguments_are_explained(tenant: Tenant, arguments: list[str], words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("verify_audit", *arguments)


def test_the_trail_is_written_to_a_file_or_shown(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "trail.jsonl"
    told = run("export_audit", "--tenant", "clinic", "--output", str(file), "--json")
    lines = file.read_text(encoding="utf-8").splitlines()
    assert told == {"file": str(file), "bytes": file.stat().st_size}
    assert [json.loads(line)["action"] for line in lines] == ["tenant.created", "audit.exported"]
    out = io.StringIO()
    call_command("export_audit", "--tenant", "clinic", "--format", "csv", stdout=out)
    assert out.getvalue().startswith("sequence,at,actor_kind")
    with tenant_scope(tenant), tenant_transaction():
        assert AuditEvent.objects.filter(action="audit.exported", actor_kind="command").count() == 2
