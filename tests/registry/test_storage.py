"""Files are stored wholly or not at all, sealed for their tenant and their place."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from mlplatform.sealing.errors import KeyNotFound, NotSealed, SealBroken
from mlplatform.tenancy.models import DataKey, Tenant
from mlplatform.tenancy.scope import NoActiveTenant, tenant_scope
from registry.errors import StorageUnavailable
from registry.storage import content_path, open_file, read_bytes, write_file, write_once

pytestmark = pytest.mark.usefixtures("in_tenant")


def stored(path: str) -> Path:
    return Path(default_storage.path(path))


def test_written_bytes_are_read_back_and_never_lie_in_the_clear() -> None:
    write_once("a/b/c", b"content")
    assert read_bytes("a/b/c") == b"content"
    assert b"content" not in stored("a/b/c").read_bytes()


def test_a_damaged_file_is_mended_and_a_whole_one_left_alone() -> None:
    write_once("a", b"content")
    stored("a").write_bytes(stored("a").read_bytes()[:-1])
    write_once("a", b"content")
    mended = stored("a").stat().st_ino
    write_once("a", b"content")
    assert (read_bytes("a"), stored("a").stat().st_ino) == (b"content", mended)


def test_nothing_unfinished_is_left_behind() -> None:
    write_once("folder/a", b"content")
    assert [file.name for file in stored("folder").iterdir()] == ["a"]


def test_a_source_that_fails_leaves_the_old_file() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            raise OSError("the disk is gone")

    write_once("folder/a", b"old")
    with pytest.raises(StorageUnavailable, match="the disk is gone"):
        write_file("folder/a", Failing())
    assert read_bytes("folder/a") == b"old"
    assert [file.name for file in stored("folder").iterdir()] == ["a"]


def test_a_storage_without_paths_works_too(settings: Any) -> None:
    backend = {"BACKEND": "django.core.files.storage.InMemoryStorage"}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    write_once("a/b", b"content")
    write_once("a/b", b"content")
    assert read_bytes("a/b") == b"content"
    with default_storage.open("a/b") as file:
        assert b"content" not in file.read()


def test_a_missing_file_is_reported() -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes("none")


def test_a_storage_that_takes_no_file_says_so(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "taken").write_text("a file stands where the folder should be")
    options = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "taken"}}
    settings.STORAGES = {**settings.STORAGES, "default": options}
    with pytest.raises(StorageUnavailable, match="takes no file"):
        write_once("a/b", b"bytes")


def test_a_file_in_the_clear_is_refused_and_told_how_to_mend() -> None:
    stored("a").parent.mkdir(parents=True, exist_ok=True)
    stored("a").write_bytes(b"of an older release")
    with pytest.raises(NotSealed, match="rotate_keys"):
        read_bytes("a")


def test_a_file_does_not_open_under_another_name() -> None:
    write_once("a", b"content")
    shutil.copy(stored("a"), stored("b"))
    with pytest.raises(SealBroken):
        read_bytes("b")


def test_a_file_does_not_open_for_another_tenant(other_tenant: Tenant) -> None:
    write_once("a", b"content")
    with tenant_scope(other_tenant), pytest.raises(KeyNotFound):
        read_bytes("a")


def test_without_a_tenant_nothing_is_written() -> None:
    with tenant_scope(None), pytest.raises(NoActiveTenant):  # type: ignore[arg-type]  # as where none is active
        write_once("a", b"content")


def test_without_its_key_a_file_is_lost() -> None:
    write_once("a", b"content")
    DataKey.objects.all().delete()
    with pytest.raises(KeyNotFound):
        read_bytes("a")


def test_the_same_content_has_one_name_in_a_tenant_and_another_elsewhere(other_tenant: Tenant) -> None:
    ours = content_path("datasets", "0" * 64)
    assert content_path("datasets", "0" * 64) == ours
    assert "000000" not in ours
    with tenant_scope(other_tenant):
        theirs = content_path("datasets", "0" * 64)
    assert ours.rpartition("/")[2] != theirs.rpartition("/")[2]


def test_a_file_is_read_in_parts() -> None:
    write_once("a", bytes(range(256)) * 1000)
    with open_file("a") as file:
        file.seek(200_000)
        assert file.read(3) == bytes([200_000 % 256, 200_001 % 256, 200_002 % 256])
