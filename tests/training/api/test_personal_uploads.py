from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset
from registry.services.personal import dataset_marks
from tests.conftest import ApiFor, ConsoleFor
from tests.factories import table

MARKS = {"patient, name": "pseudonymise", "mean_area": "drop", "mean_radius": "drop"}


def content() -> bytes:
    """Forty patients with their names, which stand in a column with a comma in its name."""
    frame = table().head(40)
    return frame.assign(**{"patient, name": [f"canary {n}" for n in range(40)]}).to_csv(index=False).encode()


def stored(tenant: Tenant) -> Dataset:
    with tenant_scope(tenant), tenant_transaction():
        return Dataset.objects.get()


def upload(**fields: Any) -> dict[str, Any]:
    return {"name": "p", "file": SimpleUploadedFile("p.csv", fields.pop("data", content())), **fields}


def test_an_upload_over_the_api_is_marked_from_the_start(tenant: Tenant, api_for: ApiFor) -> None:
    sent = upload(pseudonymise=["patient, name"], drop=["mean_area", "mean_radius"])
    answer = api_for(tenant, "train").post("/api/v1/datasets", sent, format="multipart")
    assert answer.status_code == 201, answer.json()
    assert "canary" not in answer.content.decode()
    assert dataset_marks(stored(tenant)) == MARKS


def test_an_upload_in_the_console_is_marked_from_the_start(tenant: Tenant, console_for: ConsoleFor) -> None:
    sent = upload(pseudonymise="patient, name\r\n", drop=" mean_area\r\n\r\nmean_radius")
    answer = console_for(tenant, Role.ANALYST).post("/admin/registry/dataset/add/", sent)
    assert answer.status_code == 302
    assert dataset_marks(stored(tenant)) == MARKS


def test_a_file_of_the_command_is_marked_from_the_start(tenant: Tenant, tmp_path: Path) -> None:
    file = tmp_path / "p.csv"
    file.write_bytes(content())
    marks = ["--pseudonymise", "patient, name", "--drop", "mean_area", "mean_radius"]
    call_command("import_dataset", str(file), "--tenant", "clinic", *marks)
    assert dataset_marks(stored(tenant)) == MARKS


def test_a_column_that_is_not_there_is_refused_before_anything_is_stored(
    tenant: Tenant, api_for: ApiFor
) -> None:
    answer = api_for(tenant).post("/api/v1/datasets", upload(drop=["no such"]), format="multipart")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_marks")
    with tenant_scope(tenant), tenant_transaction():
        assert not Dataset.objects.exists()


@pytest.mark.parametrize("marked", [True, False])
def test_a_broken_line_is_quoted_only_where_nothing_is_personal(
    tenant: Tenant, api_for: ApiFor, marked: bool
) -> None:
    sent = upload(data=content() + b"canary Alice,1\n", **({"drop": ["mean_area"]} if marked else {}))
    answer = api_for(tenant).post("/api/v1/datasets", sent, format="multipart")
    assert answer.status_code == 422
    assert "Line 42" in answer.json()["detail"]
    assert ("canary" in answer.json()["detail"]) is not marked
