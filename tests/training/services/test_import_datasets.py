"""Datasets from files."""

import io
from pathlib import Path

import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.frames import dataset_frame
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
