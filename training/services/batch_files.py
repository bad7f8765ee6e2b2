"""The files of batch jobs: sealed, each named by one row, and gone with it."""

import hashlib
import logging
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO

from django.core.files.storage import default_storage

from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.usage import locked_usage
from registry.storage import content_path, new_file, open_file
from training.batching.writing import HashedSink
from training.errors import BatchFailed
from training.models import BatchJob, BatchPart

logger = logging.getLogger(__name__)
FOLDER = "batches"
COLUMNS = (
    (BatchJob, "input_file"),
    (BatchJob, "output_file"),
    (BatchJob, "errors_file"),
    (BatchPart, "file"),
    (BatchPart, "errors_file"),
)


def new_path() -> str:
    """Return a place where no file lies yet: nothing of a batch is shared, so each can go by itself."""
    return content_path(FOLDER, hashlib.sha256(secrets.token_bytes(32)).hexdigest())


class Stored(HashedSink):
    """A sealed file that is being written, with its place."""

    path = ""


@contextmanager
def stored() -> Iterator[Stored]:
    """Seal and keep what is written in the block under a new path; raises StorageUnavailable."""
    path = new_path()
    with new_file(path) as target:
        sink = Stored(target)
        sink.path = path
        yield sink


def open_kept(path: str) -> IO[bytes]:
    """Open a file of a batch; raises BatchFailed where it is gone: the batch may have been cancelled."""
    try:
        return open_file(path)
    except (OSError, SealBroken) as error:
        raise BatchFailed(
            "A file of the batch is gone or cannot be opened. Start the batch again.", code="file_gone"
        ) from error


def drop_files(paths: Iterable[str]) -> None:
    """Delete files that no row of a batch names any more; call it once that is committed.

    What cannot be deleted now is left to the sweep of files that no row names.
    """
    wanted = {path for path in paths if path}
    if not wanted:
        return
    with tenant_transaction():
        locked_usage()
        named = {
            path
            for table, column in COLUMNS
            for path in table.objects.filter(**{f"{column}__in": wanted}).values_list(column, flat=True)
        }
        for path in wanted - named:
            try:
                default_storage.delete(path)
            except OSError:
                logger.warning("A file of a batch could not be deleted.", exc_info=True)
