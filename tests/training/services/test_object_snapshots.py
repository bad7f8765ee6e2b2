"""Snapshots of objects in a store, which are read in parts like files that are imported."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pytest_django import Settings

from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import SYSTEM
from registry.errors import InvalidMarks
from registry.frames import dataset_frame
from registry.models import Dataset
from registry.services.personal import dataset_marks
from tests.training.sources.places import records, s3_put, s3_store
from training.errors import SourceRefused, UnreadableFile
from training.models import DataSource
from training.services.datasets import import_file
from training.services.snapshots import preview_source, take_snapshot
from training.services.sources import create_source

pytestmark = pytest.mark.usefixtures("in_tenant")
SECRET = "a-secret-nobody-may-see"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """The store's address."""
    with s3_store() as url:
        yield url


@pytest.fixture(autouse=True)
def _small_parts(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine is open, and a part is some hundred rows."""
    settings.OUTBOUND_HOSTS = ["127.0.0.1"]
    monkeypatch.setattr("training.sources.records.SLICE_BYTES", 10_000)


def made(place: dict[str, Any], **more: Any) -> DataSource:
    return create_source(name="Biopsies", kind="s3", settings=place, by=SYSTEM, secret=SECRET, **more)


def table() -> pd.DataFrame:
    """Rows whose last column turns from numbers to text in the last part, with gaps in another."""
    frame = pd.DataFrame(records(3_000))
    frame["late"] = [*map(str, range(2_999)), "n.k."]
    frame.loc[5, "size"] = None
    return frame


def test_an_object_gives_the_same_dataset_as_the_file_that_it_was(store: str, tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    table().to_csv(path, index=False)
    source = made(s3_put(store, "rows.csv", path.read_bytes()))
    taken = take_snapshot(source=source, by=SYSTEM)
    assert (taken.created, taken.dataset.rows) == (True, 3_000)
    assert taken.dataset.origin["source"] == source.pk
    pd.testing.assert_frame_equal(
        dataset_frame(taken.dataset), table(), check_dtype=False, check_column_type=False
    )
    imported, created = import_file(name="file", file=path, filename="rows.csv", by=SYSTEM)
    assert (created, imported) == (False, taken.dataset)
    assert not take_snapshot(source=source, by=SYSTEM).created


def test_personal_columns_of_an_object_are_marked_before_anything_is_kept(store: str) -> None:
    place = s3_put(store, "rows.csv", table().to_csv(index=False).encode())
    source = made(place, personal={"clinic": "drop", "kind": "pseudonymise"})
    assert preview_source(source=source, by=SYSTEM).rows[0][1] is None
    dataset = take_snapshot(source=source, by=SYSTEM).dataset
    assert set(dataset_marks(dataset)) == {"clinic", "kind"}
    assert "winery" not in str(dataset.profile)
    wrong = create_source(
        name="x", kind="s3", settings=place, by=SYSTEM, personal={"age": "drop"}, secret="s"
    )
    with pytest.raises(InvalidMarks, match="no column 'age'"):
        take_snapshot(source=wrong, by=SYSTEM)


@pytest.mark.parametrize(
    ("content", "limits", "error", "problem"),
    [
        (None, {"SOURCE_MAX_ROWS": 1_000}, SourceRefused, "more than 1,000 rows"),
        (None, {"SOURCE_MAX_BYTES": 5_000}, SourceRefused, "more than 5,000 bytes"),
        (b"a,b\n" + b"1,2\n" * 10, {}, UnreadableFile, "10 rows"),
        (b"a,b\n" + b"1,2\n" * 5_000 + b"1,2,3\n", {}, UnreadableFile, "Line 5002"),
        (f"a,b\n{SECRET},1,2\n".encode() * 30, {}, UnreadableFile, "left out"),
    ],
    ids=["rows", "bytes", "few", "ragged", "credential"],
)
def test_what_goes_wrong_on_the_way_leaves_no_dataset_and_is_told(
    store: str,
    settings: Settings,
    content: bytes | None,
    limits: dict[str, int],
    error: type[PlatformError],
    problem: str,
) -> None:
    for name, value in limits.items():
        setattr(settings, name, value)
    source = made(s3_put(store, "rows.csv", content or table().to_csv(index=False).encode()))
    with pytest.raises(error, match=problem):
        take_snapshot(source=source, by=SYSTEM)
    source.refresh_from_db()
    assert source.is_failing
    assert SECRET not in source.last_failure
    assert not Dataset.objects.exists()
