"""Left files are told of, and deleted on demand."""

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from tests.factories import make_dataset
from tests.registry.services.test_orphans import left_behind


def run(*arguments: str) -> Any:
    out = io.StringIO()
    call_command("sweep_files", "--tenant", "clinic", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_it_tells_first_and_deletes_with_yes(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        path = left_behind()
    told = run()
    assert (told["files"], told["deleted"]) == (1, [path])
    assert "--yes" in told["to_delete"]
    assert default_storage.exists(path)
    done = run("--yes")
    assert (done["files"], "to_delete" in done) == (1, False)
    assert not default_storage.exists(path)
    with tenant_scope(tenant), tenant_transaction():
        assert AuditEvent.objects.get(action="files.swept").actor_kind == "command"
    assert run("--yes")["files"] == 0


def test_it_names_rows_whose_file_is_gone(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        dataset = make_dataset()
    Path(default_storage.path(dataset.file)).unlink()
    assert run()["missing"] == [f"dataset {dataset.pk}: {dataset.file}"]


@pytest.mark.parametrize("hours", ["0", "-5"])
def test_files_of_running_work_cannot_be_asked_for(tenant: Tenant, hours: str) -> None:
    with pytest.raises(CommandError, match="--left-for 1"):
        run("--left-for", hours)
