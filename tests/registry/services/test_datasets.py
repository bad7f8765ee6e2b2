"""Freezing data: once per content, and never believed without its hash."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, Tenant
from mlplatform.tenancy.scope import tenant_scope
from registry.errors import DatasetCorrupt, DatasetNotFound, UnusableTable
from registry.frames import dataset_frame
from registry.models import Dataset
from registry.services.datasets import find_dataset, freeze
from tests.factories import make_dataset, table

pytestmark = pytest.mark.usefixtures("in_tenant")


def stored_file(dataset: Dataset, settings: Any) -> Path:
    """The dataset's file on disk."""
    return Path(settings.STORAGES["default"]["OPTIONS"]["location"], str(dataset.file))


def test_frozen_rows_come_back_as_they_were() -> None:
    dataset = make_dataset()
    pd.testing.assert_frame_equal(dataset_frame(dataset), table())
    assert (dataset.rows, len(dataset.columns), dataset.profile["rows"]) == (569, 31, 569)


def test_the_same_content_is_stored_once() -> None:
    first = make_dataset()
    second, new = freeze(name="again", frame=table(), by=SYSTEM, origin={})
    assert (second, new) == (first, False)
    assert AuditEvent.objects.filter(action="dataset.frozen").count() == 1


def test_each_tenant_has_its_own_copy(other_tenant: Tenant) -> None:
    ours = make_dataset()
    with tenant_scope(other_tenant):
        theirs = make_dataset()
        assert theirs.pk != ours.pk
        assert theirs.file != ours.file
        with pytest.raises(DatasetNotFound):
            find_dataset(ours.pk)


def test_a_changed_file_is_refused(settings: Any) -> None:
    dataset = make_dataset()
    file = stored_file(dataset, settings)
    file.write_bytes(file.read_bytes() + b"!")
    with pytest.raises(DatasetCorrupt, match="does not open"):
        dataset_frame(dataset)


def test_a_missing_file_is_reported_and_freezing_again_restores_it(settings: Any) -> None:
    dataset = make_dataset()
    stored_file(dataset, settings).unlink()
    with pytest.raises(DatasetCorrupt, match="missing"):
        dataset_frame(dataset)
    assert make_dataset() == dataset
    assert len(dataset_frame(dataset)) == 569


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame(),
        pd.DataFrame({"a": []}),
        pd.DataFrame([[1, 2]], columns=["a", "a"]),
        pd.DataFrame({"a": [1, "x", b"y"]}, dtype=object),
    ],
)
def test_a_frame_that_is_no_table_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(UnusableTable):
        freeze(name="bad", frame=frame, by=SYSTEM, origin={})


def test_the_parent_and_the_origin_are_kept() -> None:
    parent = make_dataset()
    child, _ = freeze(name="more", frame=table().head(50), by=SYSTEM, origin={"kind": "cut"}, parent=parent)
    assert (child.parent, child.origin) == (parent, {"kind": "cut"})
