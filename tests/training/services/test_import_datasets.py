"""Datasets from files."""

import io
from pathlib import Path

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.frames import dataset_frame
from registry.models import Dataset
from tests.factories import table
from training.errors import FileTooLarge, UnreadableFile
from training.services.datasets import import_file

pytestmark = pytest.mark.usefixtures("in_tenant")


def upload() -> io.BytesIO:
    return io.BytesIO(table().to_csv(index=False).encode())


def test_a_file_is_frozen_with_its_origin() -> None:
    dataset, created = import_file(name="biopsies", file=upload(), filename="../../biopsies.csv", by=SYSTEM)
    assert created
    assert (dataset.name, dataset.rows, len(dataset.columns)) == ("biopsies", 569, 31)
    assert dataset.origin["filename"] == "biopsies.csv"
    assert set(dataset_frame(dataset)["diagnosis"]) == {"benign", "malignant"}


def test_the_same_content_is_stored_once() -> None:
    first, _ = import_file(name="one", file=upload(), filename="a.csv", by=SYSTEM)
    second, created = import_file(name="two", file=upload(), filename="b.csv", by=SYSTEM)
    assert (second, created) == (first, False)


def test_another_tenant_gets_a_dataset_of_its_own(other_tenant: Tenant) -> None:
    first, _ = import_file(name="one", file=upload(), filename="a.csv", by=SYSTEM)
    with tenant_scope(other_tenant):
        second, created = import_file(name="one", file=upload(), filename="a.csv", by=SYSTEM)
    assert created
    assert second.pk != first.pk


def test_a_path_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    table().to_parquet(path)
    assert import_file(name="rows", file=path, filename=path.name, by=SYSTEM)[0].rows == 569


def test_a_missing_path_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="Check the path"):
        import_file(name="rows", file=tmp_path / "none.csv", filename="none.csv", by=SYSTEM)


def test_a_file_over_the_limit_is_refused(settings: object) -> None:
    settings.MAX_UPLOAD_BYTES = 1000  # type: ignore[attr-defined]  # pytest-django's wrapper
    with pytest.raises(FileTooLarge, match="at most 1,000 are taken") as caught:
        import_file(name="rows", file=upload(), filename="rows.csv", by=SYSTEM)
    assert caught.value.status == 413


@pytest.mark.parametrize("form", ["csv", "parquet", "jsonl"])
def test_a_file_in_parts_makes_the_dataset_that_it_makes_at_once(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / f"rows.{form}"
    if form == "csv":
        table().to_csv(path, index=False)
    elif form == "parquet":
        table().to_parquet(path)
    else:
        table().to_json(path, orient="records", lines=True, double_precision=15)
    first, _ = import_file(name="at once", file=path, filename=path.name, by=SYSTEM)
    monkeypatch.setattr("training.sources.parquet.PART_ROWS", 100)
    monkeypatch.setattr("registry.services.datasets.EXACT_CELLS", 100)
    monkeypatch.setattr("training.sources.records.SLICE_BYTES", 20_000)
    again, created = import_file(name="in parts", file=path, filename=path.name, by=SYSTEM)
    assert (again, created) == (first, False)
    Dataset.objects.filter(pk=first.pk).delete()
    anew, created = import_file(name="in parts", file=path, filename=path.name, by=SYSTEM)
    assert created
    assert anew.columns == first.columns
    assert anew.profile["sample_rows"] == first.rows


def test_a_break_late_in_a_file_is_refused_and_noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "rows.csv"
    path.write_text("a,b\n" + "1,2\n" * 30_000 + "inf,2\n")
    monkeypatch.setattr("training.sources.records.SLICE_BYTES", 20_000)
    with pytest.raises(UnreadableFile, match="data row 30001"):
        import_file(name="rows", file=path, filename="rows.csv", by=SYSTEM)
    assert not Dataset.objects.exists()
    assert AuditEvent.objects.filter(action="dataset.refused").count() == 1
