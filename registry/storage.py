"""A tenant's files in the configured storage: sealed with the tenant's key, found under keyed names.

Everything here works for the active tenant; a file opens under its own path and for its own tenant alone.
"""

import hashlib
import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, cast
from uuid import UUID

from django.core.files.base import File
from django.core.files.storage import FileSystemStorage, default_storage

from mlplatform.sealing.errors import NotSealed, SealBroken
from mlplatform.sealing.files import SealedWriter, open_sealed, read_header
from mlplatform.tenancy.models import KeyPurpose
from mlplatform.tenancy.scope import current_tenant_id
from mlplatform.tenancy.services.data_keys import current_key, find_key, keyed_hash
from registry.errors import StorageUnavailable

PIECE = 1 << 20
UNFINISHED = ".writing-"


def content_path(folder: str, sha256: str) -> str:
    """Return where a file of this content lies, which nobody can guess who knows the content.

    The name follows from the hash of the content under the tenant's own key: the same content has one name
    in a tenant, and another in each other tenant. No client text ever becomes part of a path.
    """
    name = keyed_hash(sha256, purpose=KeyPurpose.NAMES)
    return f"{tenant_folder(folder)}/{name[:2]}/{name}"


def tenant_folder(folder: str) -> str:
    """Return where all of the active tenant's files of one kind lie."""
    return f"{folder}/{current_tenant_id()}"


def write_once(path: str, data: bytes) -> None:
    """Seal and store ``data``, wholly or not at all.

    A file that is there and intact is left alone; a damaged one is replaced. Raises StorageUnavailable.
    """
    write_file_once(path, io.BytesIO(data), sha256=hashlib.sha256(data).hexdigest())


def write_file_once(path: str, source: IO[bytes], *, sha256: str) -> None:
    """Do the same with a file, whose content has this hash, in parts of bounded size."""
    with _told():
        if default_storage.exists(path) and _same_content(path, sha256):
            touch(path)
            return
    source.seek(0)
    write_file(path, source)


def write_file(path: str, source: IO[bytes]) -> None:
    """Seal and store what ``source`` holds from here on, in place of what is there.

    Raises StorageUnavailable.
    """
    with new_file(path) as target:
        shutil.copyfileobj(source, target, PIECE)


@contextmanager
def new_file(path: str) -> Iterator[SealedWriter]:
    """Seal and store what is written in the block, in place of what is there: all of it, or nothing.

    Raises StorageUnavailable.
    """
    with _told():
        if isinstance(default_storage, FileSystemStorage):
            with _replacing(Path(default_storage.path(path))) as file, _sealing(path, file) as target:
                yield target
        else:  # object stores write an object wholly or not at all by themselves
            with tempfile.TemporaryFile() as sealed:
                with _sealing(path, sealed) as target:
                    yield target
                sealed.seek(0)
                default_storage.delete(path)
                default_storage.save(path, File(sealed))


def open_file(path: str) -> IO[bytes]:
    """Return the content as a seekable file that is read in parts at flat memory.

    Raises FileNotFoundError, and SealBroken where the file was changed, moved, or stands in the clear.
    """
    place = _place(path)
    with ExitStack() as opened:
        file = cast(IO[bytes], opened.enter_context(default_storage.open(path, "rb")))
        content = open_sealed(file, key_of=find_key, context=place)
        opened.pop_all()  # closed with the content from here on
    return content


def open_any(path: str) -> IO[bytes]:
    """Return the content of a file that may stand in the clear: for sealing what an older release wrote."""
    try:
        return open_file(path)
    except NotSealed:
        return cast(IO[bytes], default_storage.open(path, "rb"))


def file_key(path: str) -> UUID | None:
    """Return the id of the key that the file names, None where it stands in the clear.

    Raises FileNotFoundError, and SealBroken where the header is damaged.
    """
    with default_storage.open(path, "rb") as file:
        try:
            return read_header(cast(IO[bytes], file)).key_id
        except NotSealed:
            return None


def read_bytes(path: str) -> bytes:
    """Return the whole content; raises what ``open_file`` raises."""
    with open_file(path) as file:
        return file.read()


def demand_stored(path: str) -> None:
    """Raise StorageUnavailable where the file has gone since it was written.

    Call it in the transaction that names the file, once it holds the tenant's usage: the sweep of files that
    no row names (``services.orphans``) deletes under the same lock.
    """
    if not default_storage.exists(path):
        raise StorageUnavailable("The stored file was removed before it was recorded. Do it once more.")


def touch(path: str) -> None:
    """Make a file a young one, which no sweep takes away before its time of grace; none is no matter."""
    if isinstance(default_storage, FileSystemStorage):
        with suppress(FileNotFoundError):
            os.utime(default_storage.path(path))


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StorageUnavailable(
            f"The storage takes no file: {error.strerror or error}. Free space or mend its rights; "
            "/api/v1/health/ready tells when it works again."
        ) from error


def _same_content(path: str, sha256: str) -> bool:
    try:
        with open_file(path) as file:
            stored = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type]  # a seekable file
    except SealBroken:
        return False
    return stored == sha256


@contextmanager
def _replacing(target: Path) -> Iterator[IO[bytes]]:
    # Written aside, flushed to disk, then renamed: a power cut leaves the old file or the new one.
    target.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=UNFINISHED)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(target)
    finally:
        Path(name).unlink(missing_ok=True)


@contextmanager
def _sealing(path: str, target: IO[bytes]) -> Iterator[SealedWriter]:
    key = current_key()
    writer = SealedWriter(target, key=key.secret, key_id=key.id, context=_place(path))
    yield writer
    writer.finish()


def _place(path: str) -> bytes:
    return f"tenant {current_tenant_id()}: {path}".encode()
