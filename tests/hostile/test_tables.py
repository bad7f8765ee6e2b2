"""Files that are no tables, or tables that would fill memory, the disk or somebody's afternoon."""

import gzip
import io
import pickle
import re
import zipfile
from typing import Any

import joblib
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from pytest_django import Settings
from rest_framework.test import APIClient

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope, tenant_transaction
from registry.models import Dataset
from tests.hostile.conftest import actions

GOOD = b"a,b\n" + b"1,2\n" * 40


def upload(client: APIClient, content: bytes, name: str = "rows.csv") -> Any:
    file: Any = SimpleUploadedFile("x", content)
    file._name = name  # as it comes over the network, not as Django's own helper mends it
    return client.post("/api/v1/datasets", {"name": "odd", "file": file}, format="multipart")


def refused(answer: Any) -> str:
    assert answer.status_code in {400, 413, 415, 422}, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert body["request_id"]
    return str(body["detail"])


def archive(name: str, content: bytes = GOOD) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        archive("rows.csv"),
        archive("../../etc/passwd"),
        archive("/etc/passwd"),
        archive("bomb", b"0" * 10_000_000),
        archive("inner.zip", archive("rows.csv")),
        gzip.compress(GOOD, mtime=0),  # the same bytes at each run
        b"\xfd7zXZ\x00" + b"x" * 100,
        b"BZh9" + b"x" * 100,
    ],
)
def test_15_an_archive_is_not_unpacked(client: APIClient, content: bytes) -> None:
    refused(upload(client, content))


def test_16_a_body_beyond_the_limit_is_refused_unread(client: APIClient, settings: Settings) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    answer = upload(client, b"a,b\n" + b"1,2\n" * 1000)
    assert answer.status_code == 413


CSV = {
    "a field without its closing quote": b'a,b\n"1,2\n' + b"1,2\n" * 40,
    "a row of very many columns": b"a,b\n" + b"1," * 100_000 + b"1\n",
    "a header of very many columns": b",".join(b"c%d" % number for number in range(100_000)) + b"\n",
    "a field of megabytes": b"a,b\n1," + b"x" * 5_000_000 + b"\n" + b"1,2\n" * 40,
    "a NUL": b"a,b\n1,\x00\n" + b"1,2\n" * 40,
    "a repeated header": b"a,a\n" + b"1,2\n" * 40,
    "an empty name": b"a,\n" + b"1,2\n" * 40,
    "ragged rows": b"a,b\n1,2,3\n" + b"1,2\n" * 40,
    "one line of nothing": b"\n",
    "a byte order mark alone": b"\xef\xbb\xbf",
}


@pytest.mark.parametrize("content", CSV.values(), ids=CSV)
def test_17_a_csv_that_is_none_is_refused_with_a_sentence(client: APIClient, content: bytes) -> None:
    assert len(refused(upload(client, content))) < 2000


OTHER_ENCODINGS = {
    "UTF-16": ("a,b\n" + "1,2\n" * 40).encode("utf-16"),
    "Windows-1252": ("a,b\n" + "1,é\n" * 40).encode("cp1252"),
    "UTF-8 and something else": b"a,b\n1,\xff\xfe\n" + "1,é\n".encode() * 39,
}


@pytest.mark.parametrize("content", OTHER_ENCODINGS.values(), ids=OTHER_ENCODINGS)
def test_17_another_encoding_is_read_whole(client: APIClient, content: bytes) -> None:
    assert upload(client, content).json()["rows"] == 40


def test_17_a_carriage_return_alone_ends_a_line_or_is_refused(client: APIClient) -> None:
    answer = upload(client, b"a,b\r" + b"1,2\r" * 40)
    assert answer.status_code in {201, 422}
    if answer.status_code == 201:
        assert answer.json()["rows"] == 40


def test_18_a_small_file_that_spells_out_a_huge_table_is_refused(
    client: APIClient, settings: Settings
) -> None:
    settings.MAX_TABLE_BYTES = 1_000_000
    buffer = io.BytesIO()
    texts = pa.array(["x" * 100_000] * 1_000).dictionary_encode()
    pq.write_table(pa.table({"a": range(1_000), "b": texts}), buffer)
    assert len(buffer.getvalue()) < 200_000
    assert "unpacks to more than" in refused(upload(client, buffer.getvalue(), "rows.parquet"))


def test_18_a_spreadsheet_is_not_opened(client: APIClient) -> None:
    entity = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><x>&e;</x>'
    refused(upload(client, archive("xl/workbook.xml", entity), "rows.xlsx"))
    refused(upload(client, entity, "rows.csv"))


class Harmful:
    """What would run where it is unpickled."""

    def __reduce__(self) -> Any:
        return (pytest.fail, ("it was unpickled",))


def pickled(protocol: int) -> bytes:
    return pickle.dumps(Harmful(), protocol=protocol)


def dumped() -> bytes:
    buffer = io.BytesIO()
    joblib.dump({"harmful": Harmful()}, buffer)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name", ["model.pkl", "rows.csv", "rows.parquet", "model.skops", "model.onnx", "m.pt"]
)
def test_19_a_pickle_is_never_opened_whatever_its_name(client: APIClient, tenant: Tenant, name: str) -> None:
    for content in (pickled(0), pickled(2), pickled(5), dumped(), archive("data.pkl", pickled(2))):
        refused(upload(client, content, name))
    with tenant_scope(tenant), tenant_transaction():
        assert not Dataset.objects.exists()
    assert "dataset.refused" in actions(tenant)


NAMES = [
    "../../../etc/passwd",
    "..\\..\\windows\\system32\\x",
    "%2e%2e%2f%2e%2e%2fetc%2fpasswd",
    "%252e%252e%252fetc",
    "rows.csv\x00.png",
    "CON",
    "x" * 300,
    "\u202egpj.vsc",
    "rows.csv.",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("name", NAMES)
def test_21_a_files_name_leads_nowhere(
    client: APIClient, tenant: Tenant, settings: Settings, name: str
) -> None:
    answer = upload(client, GOOD, name)
    assert answer.status_code in {201, 400, 422}
    folder = settings.STORAGES["default"]["OPTIONS"]["location"]
    with tenant_scope(tenant), tenant_transaction():
        for dataset in Dataset.objects.all():
            assert re.fullmatch(r"datasets/\d+/[0-9a-f]{2}/[0-9a-f]{64}", dataset.file)
            assert (folder / dataset.file).resolve().is_relative_to(folder.resolve())


@pytest.mark.parametrize("name", ["../../x", "a/b", "..", "a\x00b", "x" * 200, "CON ", "a;b", "%2e%2e"])
def test_21_a_models_name_is_no_path(client: APIClient, name: str) -> None:
    answer = client.post("/api/v1/models", {"name": name, "problem_type": "regression", "target": "y"})
    assert answer.status_code in {400, 422}


FRAMES = {
    "one class": pd.DataFrame({"a": range(60), "y": ["only"] * 60}),
    "a constant number": pd.DataFrame({"a": range(60), "y": [1.0] * 60}),
    "no target": pd.DataFrame({"a": range(60), "b": range(60)}),
    "a target of nothing": pd.DataFrame({"a": range(60), "y": [None] * 60}),
}


@pytest.mark.parametrize("frame", FRAMES.values(), ids=FRAMES)
def test_34_data_that_nothing_can_be_learnt_from_makes_no_version(
    client: APIClient, tenant: Tenant, frame: pd.DataFrame
) -> None:
    made = upload(client, frame.to_csv(index=False).encode())
    client.post("/api/v1/models", {"name": "odd", "problem_type": "classification", "target": "y"})
    job = {"model": "odd", "dataset": made.json().get("id", 1), "algorithms": [{"key": "dummy"}], "folds": 2}
    answer = client.post("/api/v1/jobs", job)
    assert answer.status_code in {404, 409, 422}, answer.content
    assert answer.json()["detail"]
    assert client.get("/api/v1/models/odd/versions").json()["results"] == []


@pytest.mark.parametrize("content", [b"a,y\n", b"a,y\n1,x\n"], ids=["no row", "one row"])
def test_34_too_few_rows_are_refused(client: APIClient, content: bytes) -> None:
    refused(upload(client, content))
