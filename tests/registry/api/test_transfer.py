"""Models and versions leave and arrive through the API, the console and the commands."""

import io
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from rest_framework.test import APIClient

from mlplatform.admin.links import command_url, list_command_url
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.exchange.skops_files import open_skops
from registry.models import ModelVersion, RegisteredModel
from tests.factories import make_champion, rows_of

ApiFor = Callable[..., APIClient]
API = "/api/v1/models"


@pytest.fixture
def version(tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant), tenant_transaction():
        return make_champion()


def body(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer)


def file(content: bytes, name: str = "model.zip") -> io.BytesIO:
    made = io.BytesIO(content)
    made.name = name
    return made


def test_a_model_goes_out_and_comes_in(version: ModelVersion, tenant: Tenant, api_for: ApiFor) -> None:
    client = api_for(tenant)
    answer = client.get(f"{API}/cancer/export")
    assert answer["Content-Disposition"] == 'attachment; filename="cancer.model.zip"'
    archive = body(answer)
    sent = {"file": file(archive), "name": "copied"}
    made = client.post(f"{API}/import", sent, format="multipart")
    assert made.status_code == 201, made.content
    assert made.json()["versions"] == 1
    assert client.get(f"{API}/copied").json()["origin"]["model"] == "cancer"
    rows = {"rows": rows_of(version), "version": 1}
    asked = client.post(f"{API}/copied/predict", rows, format="json")
    assert asked.status_code == 200, asked.content
    again = client.post(f"{API}/import", {"file": file(archive)}, format="multipart")
    assert (again.status_code, again.json()["code"]) == (409, "model_exists")
    odd = client.post(f"{API}/import", {"file": file(b"nothing")}, format="multipart")
    assert (odd.status_code, odd.json()["code"]) == (422, "invalid_archive")


def test_rows_and_running_at_once_need_more_rights(
    version: ModelVersion, tenant: Tenant, api_for: ApiFor
) -> None:
    trainer = api_for(tenant, "read", "train")
    archive = body(trainer.get(f"{API}/cancer/export"))
    assert trainer.get(f"{API}/cancer/export?data=true").status_code == 403
    sent = {"file": file(archive), "name": "copied", "champion": "true"}
    assert trainer.post(f"{API}/import", sent, format="multipart").status_code == 403
    with zipfile.ZipFile(io.BytesIO(body(api_for(tenant).get(f"{API}/cancer/export?data=true")))) as whole:
        assert any("dataset.file" in name for name in whole.namelist())


@pytest.mark.parametrize("form", ["skops", "onnx", "mlflow"])
def test_a_version_goes_out_in_each_format(
    form: str, version: ModelVersion, tenant: Tenant, api_for: ApiFor
) -> None:
    client = api_for(tenant)
    data = body(client.get(f"{API}/cancer/versions/1/export?format={form}")) if form != "onnx" else b""
    if form == "skops":
        assert hasattr(open_skops(data), "predict_proba")
    elif form == "mlflow":
        names = zipfile.ZipFile(io.BytesIO(data)).namelist()
        assert {"MLmodel", "requirements.txt", "conda.yaml", "python_env.yaml", "input_example.json"} <= set(
            names
        )
        assert not any(name.endswith((".pkl", ".pickle")) for name in names)
    else:  # a version made without a twin says why it cannot leave as ONNX
        answer = client.get(f"{API}/cancer/versions/1/export?format=onnx")
        assert (answer.status_code, answer.json()["code"]) == (409, "cannot_export")
        assert "twin" in answer.json()["detail"]
    assert client.get(f"{API}/cancer/versions/1/export?format=pickle").status_code == 422


def test_a_file_from_outside_becomes_a_version(
    version: ModelVersion, tenant: Tenant, api_for: ApiFor
) -> None:
    client = api_for(tenant)
    data = body(client.get(f"{API}/cancer/versions/1/export"))
    sent = {"file": file(data, "m.skops"), "dataset": version.dataset_id, "origin": "Lab"}
    made = client.post(f"{API}/cancer/versions/import", sent, format="multipart")
    assert made.status_code == 201, made.content
    assert (made.json()["number"], made.json()["origin"]["from"]) == (2, "Lab")
    sent = {"file": file(data), "columns": '{"name": 1}'}
    assert client.post(f"{API}/cancer/versions/import", sent, format="multipart").status_code == 400
    pickled = {"file": file(b"\x80\x04K\x01.", "m.skops"), "dataset": version.dataset_id}
    refused = client.post(f"{API}/cancer/versions/import", pickled, format="multipart")
    assert (refused.status_code, refused.json()["code"]) == (422, "foreign_model_refused")


def test_the_console_offers_each_way(
    version: ModelVersion, tenant: Tenant, console_for: Callable[..., Client]
) -> None:
    admin = console_for(tenant)
    model = version.model
    page = command_url(model, "export")
    assert "signed by this installation" in admin.get(page).content.decode()
    archive = body(admin.post(page, {}))
    where = list_command_url("registry.registeredmodel", "import-archive")
    assert "this installation" in admin.get(where).content.decode()
    made = admin.post(where, {"file": file(archive), "name": "copied"}, follow=True)
    assert "Archive of a model" in made.content.decode()
    assert admin.get(command_url(version, "export")).status_code == 200
    data = body(admin.post(command_url(version, "export"), {"form": "skops"}))
    page = command_url(model, "import-version")
    assert "Pickles, joblib files" in admin.get(page).content.decode()
    sent = {"file": file(data, "m.skops"), "dataset": version.dataset_id, "columns": "", "origin": "Lab"}
    made = admin.post(page, sent, follow=True)
    assert "It was not trained here" in made.content.decode()
    wrong = admin.post(page, {"file": file(b"\x80\x04K\x01."), "columns": "age numeric"})
    assert "has no known type" in wrong.content.decode()
    analyst = console_for(tenant, Role.VIEWER)
    assert analyst.get(page).status_code == 403


def test_the_commands_do_the_same(
    version: ModelVersion, tenant: Tenant, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    of = f"--tenant={tenant.slug}"
    archive, skops = tmp_path / "m.zip", tmp_path / "m.skops"
    call_command("export_model", of, "--model=cancer", f"--to={archive}", "--with-data", "--json")
    assert archive.stat().st_mode & 0o077 == 0
    call_command("import_model", of, str(archive), "--as=copied", "--champion", "--json")
    assert '"champion": 1' in capsys.readouterr().out
    call_command("export_version", of, "--model=cancer", "--number=1", f"--to={skops}")
    columns = tmp_path / "columns.json"
    columns.write_text("{")
    with pytest.raises(CommandError, match="no valid JSON"):
        call_command("import_version", of, str(skops), "--model=cancer", f"--columns={columns}")
    call_command(
        "import_version", of, str(skops), "--model=cancer", f"--dataset={version.dataset_id}", "--json"
    )
    assert '"status": "ready"' in capsys.readouterr().out
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_version", of, "--model=cancer", "--number=1", f"--to={skops}")
    call_command("transfer_key", "--json")
    assert '"this installation"' in capsys.readouterr().out
    with tenant_scope(tenant), tenant_transaction():
        assert set(RegisteredModel.objects.values_list("name", flat=True)) == {"cancer", "copied"}
