"""Can files be written, kept and read back?"""

import os
import secrets
import shutil
from pathlib import Path

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage, default_storage

from mlplatform.doctor.findings import Finding, fine, wrong
from mlplatform.sealing.files import MAGIC

LOW_DISK_BYTES = 1_000_000_000
MOST_LOOKED_AT = 10_000
PROBES = {"doctor", "health"}  # what this module and the readiness check write for a moment


def data_folder() -> Finding:
    """Look at the data folder's rights and the space left."""
    folder = settings.DATA_DIR
    if not os.access(folder, os.W_OK | os.X_OK):
        return wrong("Data folder", f"{folder} cannot be written", "Change its owner, or set ML_DATA_DIR.")
    if folder.stat().st_mode & 0o022:
        seen = f"{folder} can be written by other accounts of this machine"
        return wrong("Data folder", seen, f"Take their right away: chmod 700 {folder}")
    free = shutil.disk_usage(folder).free
    seen = f"{folder}, {free / 1e9:.1f} GB free"
    if free < LOW_DISK_BYTES:
        return wrong("Data folder", seen, "Free at least 1 GB, or move the folder and set ML_DATA_DIR.")
    return fine("Data folder", seen)


def storage_round_trip() -> Finding:
    """Write a file to the storage, read it back, and delete it."""
    content = secrets.token_bytes(32)
    try:
        name = default_storage.save("doctor/round-trip", ContentFile(content))
        with default_storage.open(name) as file:
            same = file.read() == content
        default_storage.delete(name)
    except OSError as error:
        return wrong("File storage", str(error), "Make the storage reachable and writable for this account.")
    if not same:
        return wrong("File storage", "a file came back changed", "Check the disk, or the storage service.")
    return fine("File storage", "a file was written, read back and deleted")


def sealed_files() -> Finding:
    """Look for stored files that an older release, or a hand, left in the clear."""
    if not isinstance(default_storage, FileSystemStorage):
        return fine("Files at rest", "not looked at: the storage is no folder")
    root = Path(default_storage.location)
    files = (path for path in root.rglob("*") if path.is_file() and path.parent.name not in PROBES)
    looked_at = [path for path, _ in zip(files, range(MOST_LOOKED_AT), strict=False)]
    clear = sum(_begins(path) != MAGIC for path in looked_at)
    if clear:
        mend = "Seal them: python manage.py rotate_keys --all-tenants"
        return wrong("Files at rest", f"{clear} of {len(looked_at)} files are not encrypted", mend)
    return fine("Files at rest", f"all {len(looked_at)} files looked at are encrypted")


def _begins(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(len(MAGIC))
