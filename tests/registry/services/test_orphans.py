"""Files that no row names are deleted, and nothing else is; rows whose file is gone are told of."""

import os
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.files.storage import default_storage
from django.db import OperationalError
from django.utils import timezone

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, DataKey, Tenant
from mlplatform.tenancy.scope import NoActiveTenant, Sight, tenant_scope
from registry.errors import StorageUnavailable
from registry.models import Dataset, ModelVersion
from registry.services import orphans
from registry.services.orphans import LEFT_FOR, missing_files, sweep_files
from registry.services.versions import register_version, store_artifact
from registry.storage import UNFINISHED, content_path, read_bytes, write_once
from tests.factories import make_dataset, make_model, make_version, table, train

LONG_AGO = timedelta(days=3)


def on_disk(path: str) -> Path:
    return Path(default_storage.path(path))


def aged(path: str, by: timedelta = LONG_AGO) -> str:
    then = (timezone.now() - by).timestamp()
    os.utime(on_disk(path), (then, then))
    return path


def left_behind(name: str = "artifacts", content: bytes = b"content", by: timedelta = LONG_AGO) -> str:
    """Write what a job leaves that is killed between its file and its row."""
    path = content_path(name, content.hex().ljust(64, "0"))
    write_once(path, content)
    return aged(path, by)


def swept(
    dry_run: bool = False, left_for: timedelta = LEFT_FOR, now: datetime | None = None
) -> orphans.Sweep:
    return sweep_files(now=now or timezone.now(), by=SYSTEM, left_for=left_for, dry_run=dry_run)


@pytest.mark.parametrize("folder", ["artifacts", "datasets"])
def test_what_a_killed_job_left_is_deleted_and_told_of(in_tenant: Tenant, folder: str) -> None:
    path = left_behind(folder)
    size = on_disk(path).stat().st_size
    done = swept()
    assert (done.tenant, done.deleted, done.bytes) == ("clinic", [path], size)
    assert not on_disk(path).exists()
    entry = AuditEvent.objects.get(action="files.swept")
    assert entry.details == {"files": 1, "bytes": size, "paths": [path]}
    assert (entry.actor_kind, entry.object_id) == ("system", str(in_tenant.pk))


def test_a_dry_run_tells_the_same_and_deletes_nothing(in_tenant: Tenant) -> None:
    path = left_behind()
    done = swept(dry_run=True)
    assert (done.deleted, done.bytes) == ([path], on_disk(path).stat().st_size)
    assert not AuditEvent.objects.filter(action="files.swept").exists()


def test_a_young_file_may_still_be_named_and_stays(in_tenant: Tenant) -> None:
    path = left_behind(by=LEFT_FOR - timedelta(minutes=5))
    assert swept().deleted == []
    assert swept(now=timezone.now() + timedelta(minutes=10)).deleted == [path]


def test_files_that_rows_name_stay_however_old(in_tenant: Tenant) -> None:
    first = make_version()
    again = make_version(first.model, dataset=first.dataset)
    assert again.artifact_file == first.artifact_file  # the same content, shared by two versions
    for path in (first.artifact_file, first.dataset.file):
        aged(path)
    assert swept().deleted == []
    assert missing_files() == []
    assert not AuditEvent.objects.filter(action="files.swept").exists()


def test_a_file_of_a_model_that_is_out_of_sight_is_named_all_the_same(in_tenant: Tenant) -> None:
    version = make_version()
    aged(version.artifact_file)
    with tenant_scope(in_tenant, Sight(hidden=frozenset({version.model.name}))):
        assert not ModelVersion.objects.exists()
        assert swept().deleted == []
    assert on_disk(version.artifact_file).exists()


def test_another_tenants_files_are_not_looked_at(in_tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        theirs = left_behind()
    ours = left_behind()
    assert swept().deleted == [ours]
    assert on_disk(theirs).exists()


def test_without_a_tenant_nothing_is_swept(db: None) -> None:
    with pytest.raises(NoActiveTenant):
        swept()


def test_a_write_that_was_broken_off_is_deleted_once_it_is_old(in_tenant: Tenant) -> None:
    folder = on_disk(left_behind(by=timedelta())).parent
    old, young = folder / f"{UNFINISHED}old", folder / f"{UNFINISHED}young"
    for path in (old, young):
        path.write_bytes(b"half")
    relative = os.path.relpath(old, default_storage.path(""))
    aged(relative)
    assert swept().deleted == [relative]
    assert young.exists()


def test_files_under_a_key_that_is_not_in_this_database_are_somebody_elses(in_tenant: Tenant) -> None:
    """A storage that is pointed at by a fresh database holds all that the one before it knew."""
    path = left_behind()
    DataKey.objects.filter(pk=DataKey.objects.get(purpose="data").pk).update(id=uuid4())
    done = swept()
    assert (done.deleted, done.unknown) == ([], [path])
    assert on_disk(path).exists()


@pytest.mark.parametrize("content", [b"", b"PAR1 in the clear", b"MLPS"], ids=["empty", "clear", "cut off"])
def test_what_is_no_sealed_file_is_left_to_people(in_tenant: Tenant, content: bytes) -> None:
    path = left_behind()
    on_disk(path).write_bytes(content)
    aged(path)
    assert (swept().deleted, swept().unknown) == ([], [path])


def test_a_trail_that_takes_no_entry_keeps_the_files(
    in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = left_behind()

    def full(**_: object) -> None:
        raise OperationalError("database or disk is full")

    monkeypatch.setattr(orphans, "record", full)
    with pytest.raises(OperationalError):
        swept()
    assert on_disk(path).exists()


def test_many_files_go_in_parts_with_an_entry_each(
    in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(orphans, "AT_ONCE", 2)
    paths = {left_behind(content=bytes([number]) * 4) for number in range(5)}
    assert set(swept().deleted) == paths
    counts = AuditEvent.objects.filter(action="files.swept").order_by("pk").values_list("details", flat=True)
    assert [entry["files"] for entry in counts] == [2, 2, 1]


def test_a_file_that_the_storage_keeps_is_told_of_and_the_rest_goes(
    in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    stubborn, other = sorted(left_behind(content=bytes([number]) * 4) for number in range(2))
    delete = default_storage.delete

    def refuse(name: str) -> None:
        if name == stubborn:
            raise PermissionError("read-only")
        delete(name)

    with monkeypatch.context() as patched:
        patched.setattr(default_storage, "delete", refuse)
        done = swept()
    assert (done.kept, done.deleted) == ([stubborn], [other])


def test_a_row_written_after_the_files_were_listed_keeps_its_file(
    in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    model, dataset = make_model(), make_dataset()
    trained = train(model, dataset)
    artifact = store_artifact(trained)
    aged(artifact.file)

    def meanwhile() -> list[str]:
        register_version(model=model, trained=trained, artifact=artifact, by=SYSTEM)
        return []

    monkeypatch.setattr(orphans, "unfinished_files", meanwhile)
    assert swept().deleted == []
    assert read_bytes(ModelVersion.objects.get().artifact_file)


def test_a_file_used_again_while_the_sweep_runs_stays(
    in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    trained = train(make_model(), make_dataset())
    aged(store_artifact(trained).file)

    def meanwhile() -> list[str]:
        store_artifact(trained)  # the same content: the file is there and left as it is
        return []

    monkeypatch.setattr(orphans, "unfinished_files", meanwhile)
    assert swept().deleted == []


def test_a_version_whose_file_was_swept_before_its_row_is_not_recorded(in_tenant: Tenant) -> None:
    model = make_model()
    trained = train(model, make_dataset())
    artifact = store_artifact(trained)
    assert swept(now=timezone.now() + LONG_AGO).deleted == [artifact.file]
    with pytest.raises(StorageUnavailable, match="once more"):
        register_version(model=model, trained=trained, artifact=artifact, by=SYSTEM)
    assert not ModelVersion.objects.exists()
    again = register_version(model=model, trained=trained, artifact=store_artifact(trained), by=SYSTEM)
    assert read_bytes(again.artifact_file)


def test_a_dataset_whose_file_was_swept_before_its_row_is_not_recorded(
    in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sweep_first(**amounts: int) -> None:
        sweep_files(now=timezone.now() + LONG_AGO, by=SYSTEM)

    with monkeypatch.context() as patched:
        patched.setattr("registry.services.datasets.take_room", sweep_first)
        with pytest.raises(StorageUnavailable, match="once more"):
            make_dataset()
    assert not Dataset.objects.exists()
    assert read_bytes(make_dataset().file)


def test_rows_whose_files_are_gone_are_named(in_tenant: Tenant) -> None:
    version = make_version()
    on_disk(version.artifact_file).unlink()
    other = make_dataset(frame=table().head(200))
    on_disk(other.file).unlink()
    assert missing_files() == [
        f"dataset {other.pk}: {other.file}",
        f"model version {version.pk}: {version.artifact_file}",
    ]


def test_a_missing_file_of_another_tenant_is_not_told(in_tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        on_disk(make_dataset().file).unlink()
    assert missing_files() == []


def test_a_trained_model_is_named_by_its_new_row_alone(in_tenant: Tenant) -> None:
    """What was never recorded goes, though the next content differs by a byte only."""
    kept = make_version()
    forgotten = store_artifact(replace(train(kept.model, kept.dataset), pipeline={"other": 1}))
    aged(forgotten.file)
    aged(kept.artifact_file)
    assert swept().deleted == [forgotten.file]
