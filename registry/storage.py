"""Content-addressed files in the configured storage."""

import hashlib
import os
import tempfile
from pathlib import Path

from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from registry.errors import StorageUnavailable


def write_once(path: str, data: bytes) -> None:
    """Store ``data`` under its content-addressed path, wholly or not at all.

    A file that is there and intact is left alone; a damaged one is replaced. Raises StorageUnavailable.
    """
    try:
        _write_once(path, data)
    except OSError as error:
        raise StorageUnavailable(
            f"The storage takes no file: {error.strerror or error}. Free space or mend its rights; "
            "/api/v1/health/ready tells when it works again."
        ) from error


def _write_once(path: str, data: bytes) -> None:
    if default_storage.exists(path) and _same_content(path, data):
        return
    if isinstance(default_storage, FileSystemStorage):
        local = Path(default_storage.path(path))
        local.parent.mkdir(parents=True, exist_ok=True)
        _replace(local, data)
    else:  # object stores write an object wholly or not at all by themselves
        default_storage.delete(path)
        default_storage.save(path, ContentFile(data))


def read_bytes(path: str) -> bytes:
    """Return the file's bytes; raises FileNotFoundError."""
    with default_storage.open(path, "rb") as file:
        data: bytes = file.read()
    return data


def _same_content(path: str, data: bytes) -> bool:
    return hashlib.sha256(read_bytes(path)).digest() == hashlib.sha256(data).digest()


def _replace(target: Path, data: bytes) -> None:
    # Written aside, flushed to disk, then renamed: a power cut leaves the old file or the new one.
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".writing-")
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)
