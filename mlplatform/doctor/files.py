"""Can files be written, kept and read back?"""

import os
import secrets
import shutil

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from mlplatform.doctor.findings import Finding, fine, wrong

LOW_DISK_BYTES = 1_000_000_000


def data_folder() -> Finding:
    """Look at the data folder's rights and the space left."""
    folder = settings.DATA_DIR
    if not os.access(folder, os.W_OK | os.X_OK):
        return wrong("Data folder", f"{folder} cannot be written", "Change its owner, or set ML_DATA_DIR.")
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
