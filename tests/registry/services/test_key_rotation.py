"""Keys change under what is stored; whoever reads meanwhile notices nothing."""

import os
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import IO, Any

import pytest
from django.core.files.storage import default_storage
from django.db import connection

from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.models import AuditEvent, DataKey, KeyPurpose, Tenant
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.data_keys import current_key, find_key, rewrap_keys
from registry import storage
from registry.frames import dataset_frame
from registry.services.key_rotation import rotate_data_key, sign_anew
from registry.services.loading import CACHE, load_fresh
from registry.services.serving import predict
from registry.services.stored_files import stored_columns, stored_files
from registry.storage import content_path, file_key, read_bytes, write_once
from tests.factories import make_champion, make_dataset, make_version, rows_of, table

AT_ONCE = timedelta(0)


def stored(path: str) -> Path:
    return Path(default_storage.path(path))


def files(count: int) -> list[str]:
    paths = [content_path("datasets", f"{number:064x}") for number in range(count)]
    for number, path in enumerate(paths):
        write_once(path, f"content {number}".encode())
    return paths


def test_every_file_is_under_the_new_key_and_reads_as_before(in_tenant: Tenant) -> None:
    version, before = make_version(), current_key().id
    done = rotate_data_key(by=SYSTEM, writes_end_within=AT_ONCE)
    assert current_key().id != before
    assert {file_key(path) for path in stored_files()} == {current_key().id}
    assert (done.files, done.sealed_anew, done.old_keys_deleted, done.old_keys_kept) == (2, 2, 1, 0)
    assert load_fresh(version)
    assert len(dataset_frame(version.dataset)) == 569
    actions = set(AuditEvent.objects.values_list("action", flat=True))
    assert {"data_key.rotated", "data_key.deleted"} <= actions


def test_a_retired_key_is_kept_while_a_write_may_be_under_way(in_tenant: Tenant) -> None:
    [path] = files(1)
    old = stored(path).read_bytes()
    assert rotate_data_key(by=SYSTEM).old_keys_kept == 1
    stored(path).write_bytes(old)  # a write that began before the rotation ends after it
    assert read_bytes(path) == b"content 0"
    again = rotate_data_key(by=SYSTEM, writes_end_within=AT_ONCE)
    assert (again.sealed_anew, again.old_keys_deleted) == (1, 1)
    assert read_bytes(path) == b"content 0"


def test_an_unfinished_rotation_goes_on_without_another_key(in_tenant: Tenant) -> None:
    paths = files(4)

    class Killed(BaseException):
        pass

    def stop(number: int, total: int) -> None:
        if number == 2:
            raise Killed

    with pytest.raises(Killed):
        rotate_data_key(by=SYSTEM, on_progress=stop)
    assert len({file_key(path) for path in paths}) == 2
    assert [read_bytes(path) for path in paths] == [f"content {number}".encode() for number in range(4)]
    done = rotate_data_key(by=SYSTEM, writes_end_within=AT_ONCE)
    assert (done.sealed_anew, done.old_keys_deleted) == (2, 1)
    assert DataKey.objects.filter(purpose=KeyPurpose.DATA).count() == 1


def test_files_in_the_clear_are_sealed(in_tenant: Tenant) -> None:
    dataset = make_dataset()
    content = read_bytes(dataset.file)
    stored(dataset.file).write_bytes(content)
    done = rotate_data_key(by=SYSTEM)
    assert (done.were_in_the_clear, done.damaged) == (1, [])
    assert len(dataset_frame(dataset)) == 569


def test_a_dry_run_tells_and_does_nothing(in_tenant: Tenant) -> None:
    paths, key = files(3), current_key()
    stored(paths[0]).write_bytes(b"clear")
    told = rotate_data_key(by=SYSTEM, dry_run=True)
    assert (told.files, told.sealed_anew, told.were_in_the_clear) == (3, 3, 1)
    assert (current_key(), stored(paths[0]).read_bytes()) == (key, b"clear")


def test_a_damaged_file_is_named_and_its_key_kept(in_tenant: Tenant) -> None:
    paths = files(2)
    stored(paths[0]).write_bytes(stored(paths[0]).read_bytes()[:-1])
    done = rotate_data_key(by=SYSTEM, writes_end_within=AT_ONCE)
    assert (done.damaged, done.sealed_anew, done.old_keys_kept) == ([paths[0]], 1, 1)
    named = file_key(paths[0])
    assert named is not None
    assert find_key(named)


def test_names_and_other_tenants_stay_as_they_are(in_tenant: Tenant, other_tenant: Tenant) -> None:
    with tenant_scope(other_tenant):
        [theirs], key = files(1), current_key()
    before = files(1)
    rotate_data_key(by=SYSTEM, writes_end_within=AT_ONCE)
    assert files(1) == before
    with tenant_scope(other_tenant):
        assert (file_key(theirs), current_key()) == (key.id, key)


def test_every_column_that_names_a_file_is_known() -> None:
    found = {f"{model._meta.label}.{field.name}" for model, field in stored_columns()}
    models = {"registry.ModelVersion.artifact_file", "registry.ModelVersion.twin_file"}
    batch = {f"training.BatchJob.{name}_file" for name in ("input", "output", "errors")}
    parts = {"training.BatchPart.file", "training.BatchPart.errors_file"}
    assert found == {"registry.Dataset.file", *models, *batch, *parts}


def test_a_new_master_key_wraps_the_keys_and_touches_no_file(in_tenant: Tenant, settings: Any) -> None:
    [path] = files(1)
    old, before = settings.MASTER_KEYS[0], stored(path).read_bytes()
    settings.MASTER_KEYS = ["n" * 40, old]
    assert rewrap_keys(by=SYSTEM, dry_run=True) == 2
    assert rewrap_keys(by=SYSTEM) == 2
    assert rewrap_keys(by=SYSTEM) == 0
    settings.MASTER_KEYS = ["n" * 40]
    assert (read_bytes(path), stored(path).read_bytes()) == (b"content 0", before)
    assert AuditEvent.objects.filter(action="data_key.rewrapped").count() == 1


def test_versions_are_signed_anew_after_the_signing_key_changed(in_tenant: Tenant, settings: Any) -> None:
    version, earlier = make_version(), settings.ARTIFACT_KEY
    assert sign_anew(by=SYSTEM) == 0
    settings.ARTIFACT_KEY, settings.ARTIFACT_KEY_FALLBACKS = "another", [earlier]
    assert rotate_data_key(by=SYSTEM).signed_anew == 1
    assert sign_anew(by=SYSTEM) == 0
    settings.ARTIFACT_KEY_FALLBACKS = []
    version.refresh_from_db()
    assert load_fresh(version)


def test_an_artefact_that_nobody_signed_is_not_signed_anew(in_tenant: Tenant, settings: Any) -> None:
    version, earlier = make_version(), settings.ARTIFACT_KEY
    type(version).objects.update(artifact_signature="0" * 64)
    settings.ARTIFACT_KEY, settings.ARTIFACT_KEY_FALLBACKS = "another", [earlier]
    assert sign_anew(by=SYSTEM) == 0


@pytest.mark.django_db(transaction=True)
def test_a_rotation_whose_process_is_killed_goes_on_where_it_was(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        paths = files(20)

    def die(number: int, total: int) -> None:
        if number == 7:
            os.kill(os.getpid(), signal.SIGKILL)

    connection.close()  # each process has one of its own
    child = os.fork()
    if child == 0:
        try:
            with tenant_scope(tenant):
                rotate_data_key(by=SYSTEM, on_progress=die)
        finally:
            os._exit(1)  # not reached: a kill lets nothing be finished
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    with tenant_scope(tenant):
        assert len({file_key(path) for path in paths}) == 2
        assert [read_bytes(path) for path in paths] == [f"content {n}".encode() for n in range(20)]
        done = rotate_data_key(by=SYSTEM, writes_end_within=AT_ONCE)
        assert (done.sealed_anew, done.old_keys_deleted, done.old_keys_kept) == (13, 1, 0)
        assert [read_bytes(path) for path in paths] == [f"content {n}".encode() for n in range(20)]


@pytest.mark.django_db(transaction=True)
def test_whoever_reads_and_writes_during_a_rotation_notices_nothing(tenant: Tenant) -> None:
    with tenant_scope(tenant):
        paths = files(30)
    over = threading.Event()

    def read() -> int:
        rounds = 0
        with closing(connection), tenant_scope(tenant):
            while not over.is_set() or not rounds:
                for number, path in enumerate(paths):
                    assert read_bytes(path) == f"content {number}".encode()
                rounds += 1
        return rounds

    with ThreadPoolExecutor() as pool:
        readers = [pool.submit(read) for _ in range(2)]
        with tenant_scope(tenant):
            for _ in range(3):
                rotate_data_key(by=SYSTEM)
            write_once(content_path("datasets", "f" * 64), b"meanwhile")
        over.set()
        assert all(reader.result() for reader in readers)


def test_predictions_open_no_file_once_the_model_is_loaded(
    in_tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    champion = make_champion(dataset=make_dataset(frame=table()))
    rows = rows_of(champion, 3)
    CACHE.clear()
    opened: list[str] = []
    really = storage.open_file

    def watched(path: str) -> IO[bytes]:
        opened.append(path)
        return really(path)

    monkeypatch.setattr(storage, "open_file", watched)
    for _ in range(3):
        predict(model=champion.model, rows=rows, by=SYSTEM)
    assert opened == [champion.artifact_file]
