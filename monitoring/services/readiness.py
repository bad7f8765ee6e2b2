"""Whether this installation can do its work; asked by load balancers, so it is quick and tells no secrets."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import DatabaseError, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder


@dataclass(frozen=True)
class Part:
    """One thing that the platform needs; ``detail`` says what fails."""

    name: str
    ready: bool
    detail: str = ""


def readiness() -> list[Part]:
    """Look at each part in turn."""
    return [Part(name, not failure, failure) for name, check in PARTS.items() for failure in [check()]]


def _database() -> str:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return "The database does not answer."
    return ""


def _migrations() -> str:
    try:
        missing = len(_known_migrations() - set(MigrationRecorder(connection).applied_migrations()))
    except DatabaseError:
        return "The database does not answer."
    return f"{missing} migrations are not applied. Run manage.py migrate." if missing else ""


@cache
def _known_migrations() -> frozenset[tuple[str, str]]:
    # The files do not change while the process runs.
    return frozenset(MigrationLoader(None).disk_migrations)


def _storage() -> str:
    name = f"health/{uuid.uuid4().hex}"
    try:
        stored = default_storage.save(name, ContentFile(b"ready"))
        default_storage.delete(stored)
    except OSError:
        return "Files cannot be stored. Look at the disk's free space and the folder's rights."
    return ""


PARTS: dict[str, Callable[[], str]] = {
    "database": _database,
    "migrations": _migrations,
    "storage": _storage,
}
