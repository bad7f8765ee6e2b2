"""A tenant leaves and arrives by command."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from tests.factories import make_dataset


def run(*arguments: str) -> Any:
    out = io.StringIO()
    call_command(*arguments, "--json", stdout=out, stderr=io.StringIO())
    return json.loads(out.getvalue())


@pytest.fixture
def archive(tenant: Tenant, tmp_path: Path) -> Path:
    with tenant_scope(tenant):
        make_dataset()
    path = tmp_path / "clinic.zip"
    done = run("export_tenant", "--tenant", "clinic", "--to", str(path))
    assert (done["files"], done["bytes"]) == (1, path.stat().st_size)
    return path


def test_the_archive_is_its_owners_alone_and_recorded(archive: Path, tenant: Tenant) -> None:
    assert archive.stat().st_mode & 0o077 == 0
    assert list(archive.parent.glob(".*unfinished")) == []
    with tenant_scope(tenant):
        assert AuditEvent.objects.filter(action="tenant.exported").count() == 1


def test_an_archive_is_imported_under_another_name(archive: Path, tenant: Tenant) -> None:
    done = run("import_tenant", str(archive), "--as", "copy")
    assert (done["tenant"], done["files"], done["signed"], done["audit_trail"]) == ("copy", 1, True, "whole")
    assert run("verify_audit", "--tenant", "copy")[0]["whole"]


def test_a_taken_name_and_a_missing_or_wrong_file_are_told(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="exists already"):
        run("import_tenant", str(archive))
    with pytest.raises(CommandError, match="There is no file"):
        run("import_tenant", str(tmp_path / "none.zip"))
    (tmp_path / "wrong.zip").write_text("no zip")
    with pytest.raises(CommandError, match="cannot be read"):
        run("import_tenant", str(tmp_path / "wrong.zip"))


def test_another_servers_archive_needs_trust(archive: Path, settings: Any) -> None:
    settings.ARTIFACT_KEY, settings.ARTIFACT_KEY_FALLBACKS = "another" * 10, []
    with pytest.raises(CommandError, match="models in it are programs"):
        run("import_tenant", str(archive), "--as", "copy")
    assert run("import_tenant", str(archive), "--as", "copy", "--trust")["signed"] is False


def test_no_file_is_overwritten(archive: Path, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="exists already"):
        run("export_tenant", "--tenant", "clinic", "--to", str(archive))
    with pytest.raises(CommandError, match="cannot be written"):
        run("export_tenant", "--tenant", "clinic", "--to", str(tmp_path / "none" / "clinic.zip"))
