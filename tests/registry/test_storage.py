"""Files are stored wholly or not at all."""

from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage

from registry.errors import StorageUnavailable
from registry.storage import read_bytes, write_once


def test_written_bytes_are_read_back() -> None:
    write_once("a/b/c", b"content")
    assert read_bytes("a/b/c") == b"content"


def test_a_damaged_file_is_mended_and_a_whole_one_left_alone() -> None:
    write_once("a", b"content")
    path = Path(default_storage.path("a"))
    path.write_bytes(b"conten")
    write_once("a", b"content")
    mended = path.stat().st_ino
    write_once("a", b"content")
    assert (read_bytes("a"), path.stat().st_ino) == (b"content", mended)


def test_nothing_unfinished_is_left_behind() -> None:
    write_once("folder/a", b"content")
    assert [file.name for file in Path(default_storage.path("folder")).iterdir()] == ["a"]


def test_a_storage_without_paths_works_too(settings: Any) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.InMemoryStorage"},
    }
    write_once("a/b", b"content")
    write_once("a/b", b"content")
    assert read_bytes("a/b") == b"content"


def test_a_missing_file_is_reported() -> None:
    with pytest.raises(FileNotFoundError):
        read_bytes("none")


def test_a_storage_that_takes_no_file_says_so(tmp_path: Path, settings: Any) -> None:
    (tmp_path / "taken").write_text("a file stands where the folder should be")
    options = {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path / "taken"}}
    settings.STORAGES = {**settings.STORAGES, "default": options}
    with pytest.raises(StorageUnavailable, match="takes no file"):
        write_once("a/b", b"bytes")
