"""Batches over REST, and by command."""

import io
import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import ModelVersion
from tests.conftest import ApiFor
from tests.factories import make_champion
from tests.training.batches import as_csv, rows, worked_off
from training.models import BatchJob
from training.services.batches import find_batch

BATCHES = "/api/v1/models/cancer/batches"


@pytest.fixture
def champion(tenant: Tenant) -> ModelVersion:
    with tenant_scope(tenant), tenant_transaction():
        return make_champion()


def upload(count: int = 40) -> SimpleUploadedFile:
    return SimpleUploadedFile("rows.csv", as_csv(rows(count)))


def done(tenant: Tenant, pk: int) -> BatchJob:
    with tenant_scope(tenant), tenant_transaction():
        return worked_off(find_batch(pk))


def content(answer: Any) -> pd.DataFrame:
    return pd.read_csv(io.BytesIO(b"".join(answer.streaming_content)))


def test_a_file_is_sent_followed_and_its_answers_fetched(
    tenant: Tenant, champion: ModelVersion, api_for: ApiFor
) -> None:
    client = api_for(tenant, "read", "predict")
    sent = {"file": upload(), "key": "patient", "reasons": 1, "keep": ["mean_radius", "mean_texture"]}
    made = client.post(BATCHES, sent, format="multipart")
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["state"], body["version"], body["asked"]) == ("queued", 1, "alias champion")
    path = f"{BATCHES}/{body['id']}"
    assert client.get(f"{path}/download").status_code == 409
    done(tenant, body["id"])
    body = client.get(path).json()
    assert (body["state"], body["progress"], body["rows"], body["has_errors"]) == (
        "succeeded",
        100,
        40,
        False,
    )
    assert [part["kind"] for part in body["parts"]] == ["reading", "answers", "joining"]
    answer = client.get(f"{path}/download")
    assert answer["Content-Disposition"].endswith('.csv"')
    table = content(answer)
    assert list(table.columns[:4]) == ["mean_radius", "mean_texture", "patient", "prediction"]
    assert client.get(f"{path}/errors").status_code == 404
    assert [one["id"] for one in client.get(BATCHES, {"state": "succeeded"}).json()["results"]] == [
        body["id"]
    ]


def test_bad_rows_are_fetched_as_a_file(tenant: Tenant, champion: ModelVersion, api_for: ApiFor) -> None:
    client, frame = api_for(tenant), rows(40).astype({"mean_radius": object})
    frame.loc[7, "mean_radius"] = "wide"
    file = SimpleUploadedFile("rows.csv", as_csv(frame))
    made = client.post(BATCHES, {"file": file, "on_bad_row": "skip"}, format="multipart").json()
    done(tenant, made["id"])
    table = content(client.get(f"{BATCHES}/{made['id']}/errors"))
    assert table[["row", "column"]].values.tolist() == [[8, "mean_radius"]]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({}, 422),
        ({"dataset": 999}, 404),
        ({"source": 999}, 404),
        ({"dataset": 1, "source": 1}, 404),
        ({"dataset": 1, "version": 1, "alias": "champion"}, 400),
        ({"dataset": 1, "coverage": 0.9}, 400),
        ({"dataset": 1, "reasons": 11}, 400),
        ({"dataset": 1, "format": "xls"}, 400),
        ({"dataset": 1, "what": 1}, 400),
    ],
)
def test_what_is_wrong_is_refused(
    tenant: Tenant, champion: ModelVersion, api_for: ApiFor, body: dict[str, Any], status: int
) -> None:
    assert api_for(tenant).post(BATCHES, body, format="json").status_code == status


def test_the_rows_of_a_dataset_need_the_right_to_data(
    tenant: Tenant, champion: ModelVersion, api_for: ApiFor
) -> None:
    body = {"dataset": champion.dataset_id}
    assert api_for(tenant, "predict", "read").post(BATCHES, body, format="json").status_code == 403
    made = api_for(tenant, "predict", "train").post(BATCHES, body, format="json")
    assert made.status_code == 201
    assert api_for(tenant, "read").get(f"{BATCHES}/{made.json()['id']}/download").status_code == 403


def test_a_cancel_ends_it_at_once(tenant: Tenant, champion: ModelVersion, api_for: ApiFor) -> None:
    client = api_for(tenant)
    made = client.post(BATCHES, {"file": upload()}, format="multipart").json()
    path = f"{BATCHES}/{made['id']}"
    assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{path}/cancel").status_code == 409
    assert done(tenant, made["id"]).state == "cancelled"


def test_a_batch_is_found_under_its_own_model_alone(
    tenant: Tenant, other_tenant: Tenant, champion: ModelVersion, api_for: ApiFor
) -> None:
    made = api_for(tenant).post(BATCHES, {"file": upload()}, format="multipart").json()
    assert api_for(tenant).get(f"/api/v1/models/other/batches/{made['id']}").status_code == 404
    assert api_for(other_tenant).get(f"{BATCHES}/{made['id']}").status_code == 404


@pytest.mark.usefixtures("worker_at_once")
@pytest.mark.django_db(transaction=True)
def test_a_command_waits_and_writes_the_answers(tenant: Tenant, tmp_path: Path) -> None:
    with tenant_scope(tenant):
        make_champion()
    source, target = tmp_path / "rows.csv", tmp_path / "answers.jsonl"
    source.write_bytes(as_csv(rows(30)))
    told = io.StringIO()
    asked = ["--tenant=clinic", "--model=cancer", f"--input={source}", f"--output={target}", "--key=patient"]
    call_command("batch_predict", *asked, "--json", stdout=told)
    found = json.loads(told.getvalue())
    assert (found["state"], found["rows"], found["output"]) == ("succeeded", 30, str(target))
    assert len(target.read_text().splitlines()) == 30
    again = tmp_path / "again.jsonl"
    call_command("batches", "--tenant=clinic", f"--download={found['batch']}", f"--output={again}")
    assert again.read_bytes() == target.read_bytes()
    with pytest.raises(CommandError, match="has ended"):
        call_command("batches", "--tenant=clinic", f"--cancel={found['batch']}")
    with pytest.raises(CommandError, match="no folder"):
        call_command("batch_predict", *asked[:3], f"--output={tmp_path}/nowhere/x.csv")
