"""What the doctor says of stored files."""

import io
import json
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.db import OperationalError, connection

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.doctor import named_files
from tests.factories import make_dataset


def test_files_that_are_there_are_good(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        make_dataset()
    assert named_files().good


def test_a_file_that_is_gone_is_told_with_its_tenant_and_row(tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        dataset = make_dataset()
    Path(default_storage.path(dataset.file)).unlink()
    finding = named_files()
    assert finding.seen == f"1 are gone, for example winery: dataset {dataset.pk}: {dataset.file}"
    assert "back-up" in finding.mend


def test_the_command_asks_for_it(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        Path(default_storage.path(make_dataset().file)).unlink()
    out = io.StringIO()
    with pytest.raises(CommandError):
        call_command("doctor", "--json", stdout=out)
    [found] = [
        one for one in json.loads(out.getvalue())["findings"] if one["check"] == "Files that rows name"
    ]
    assert not found["good"]


@pytest.mark.django_db
def test_a_database_that_does_not_answer_is_a_finding_and_no_crash() -> None:
    def broken(*_: object) -> None:
        raise OperationalError("gone")

    with connection.execute_wrapper(broken):
        finding = named_files()
    assert not finding.good
