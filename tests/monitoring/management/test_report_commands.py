"""Reports and their schedules from the command line."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.services.tenants import add_member
from registry.models import RegisteredModel


def run(name: str, tenant: Tenant, *arguments: str) -> Any:
    out = io.StringIO()
    call_command(name, f"--tenant={tenant.slug}", "--json", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_a_file_is_written_for_its_owner(tenant: Tenant, model: RegisteredModel, tmp_path: Path) -> None:
    path = tmp_path / "cancer.pdf"
    told = run("report", tenant, "cancer", "--from", "2026-11-01", "--to", "2026-11-02", "--out", str(path))
    assert told["report"] == "Report on cancer, 2026-11-01 to 2026-11-02"
    assert path.read_bytes().startswith(b"%PDF-")
    assert path.stat().st_mode & 0o077 == 0
    with pytest.raises(CommandError, match="exists already"):
        run("report", tenant, "cancer", "--format=pdf", f"--out={path}")


def test_without_a_file_the_report_is_data(tenant: Tenant, model: RegisteredModel) -> None:
    assert run("report", tenant)["title"].startswith(f"Report on {tenant.name}")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["nothing"], "There is no model"),
        (["cancer", "--from=soon"], "is no day"),
        (["cancer", "--format=pdf"], "Name the file"),
        (["cancer", "--out=x.txt"], "Say what it is to be"),
    ],
)
def test_what_makes_no_report_is_refused(
    tenant: Tenant, model: RegisteredModel, arguments: list[str], words: str
) -> None:
    with pytest.raises(CommandError, match=words):
        run("report", tenant, *arguments)


def test_schedules_are_written_switched_and_deleted(tenant: Tenant, model: RegisteredModel) -> None:
    add_member(email="ada@clinic.example", role="admin", by=SYSTEM)
    made = run(
        "report_schedules", tenant, "--create=All", "--rhythm=quarterly", "--recipients", "ada@clinic.example"
    )
    assert (made["report_on"], made["rhythm"]) == ("the whole tenant", "quarterly")
    key = made["id"]
    assert run("report_schedules", tenant, f"--update={key}", "--model=cancer")["report_on"] == "cancer"
    assert run("report_schedules", tenant, f"--disable={key}")["enabled"] is False
    assert [one["id"] for one in run("report_schedules", tenant)] == [key]
    assert run("report_schedules", tenant, f"--delete={key}") == {"deleted": key}
