"""Everything of one tenant as one file in an open format."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import IO, Any

from django.conf import settings
from django.db import connection, models, transaction
from django.utils import timezone

from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import AuditHead, DataKey, KeyPurpose
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.data_keys import current_key
from mlplatform.tenancy.services.sealed_texts import kept_credentials
from registry.archives import ArchiveWriter
from registry.errors import ArtifactCorrupt
from registry.models import ModelVersion
from registry.models.fields import StoredFile
from registry.services.loading import verified_bytes
from registry.services.stored_files import stored_columns
from registry.services.tenant_tables import departing_tables, entry_name, file_entry, row_to_json, rows_of
from registry.storage import PIECE, open_file

Said = Callable[[str], None]


@dataclass
class Exported:
    """What an archive holds: rows by table, the number of files, and those that could not be read."""

    tenant: str
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    missing_files: list[str] = field(default_factory=list)
    anchor: str = ""
    credentials_left_out: dict[str, int] = field(default_factory=dict)


def export_tenant(*, target: IO[bytes], by: Actor, say: Said = lambda _: None) -> Exported:
    """Write everything of the active tenant to ``target``, as it is at one moment, at flat memory.

    A file that is damaged or gone is named in the manifest, and does not keep the rest from leaving.
    """
    tenant = current_tenant()
    with tenant_transaction():
        record(by=by, action="tenant.exported", target=tenant)
    done, archive = Exported(tenant.slug), ArchiveWriter(target)
    with one_moment():
        for model in departing_tables():
            lines = (row_to_json(row) for row in rows_of(model))
            done.rows[model._meta.label_lower] = archive.add_lines(entry_name(model), lines)
            say(f"{model._meta.verbose_name_plural}: {done.rows[model._meta.label_lower]} rows")
        done.credentials_left_out = kept_credentials()
        _add_files(archive, done, say)
        head = AuditHead.objects.get()
        done.anchor = f"{head.sequence}:{head.hash}"
    about = {
        "exported_at": timezone.now().isoformat(),
        "tenant": {**row_to_json(tenant), "id": tenant.pk},
        "audit_anchor": done.anchor,
        "pseudonym_key": _pseudonym_key(),
        "missing_files": done.missing_files,
        "credentials_left_out": done.credentials_left_out,
    }
    archive.finish(about, key=settings.ARTIFACT_KEY)
    return done


def _pseudonym_key() -> str | None:
    """Return the one key that leaves: with another, nobody would be found again under a pseudonym."""
    made = DataKey.objects.filter(purpose=KeyPurpose.PSEUDONYMS).exists()
    return current_key(KeyPurpose.PSEUDONYMS).secret.hex() if made else None


def _add_files(archive: ArchiveWriter, done: Exported, say: Said) -> None:
    for model, column in stored_columns():
        for row in rows_of(model):
            path, name = getattr(row, column.name), file_entry(row, column)
            if not path:
                continue
            if not add_file(archive, row, column):
                done.missing_files.append(name)
                continue
            done.files += 1
        say(f"files of {model._meta.verbose_name_plural}: {done.files} so far")


def add_file(archive: ArchiveWriter, row: models.Model, column: StoredFile) -> bool:
    """Add the row's file; False where it is damaged or gone."""
    path = getattr(row, column.name)
    try:
        if isinstance(row, ModelVersion):  # the archive's signature vouches for models: for signed ones
            verified_bytes(row, column.name.removesuffix("_file"))
        with open_file(path) as file:
            while file.read(PIECE):  # to its end first: what is begun in a zip cannot be taken back
                pass
            file.seek(0)
            archive.add_file(file_entry(row, column), file)
    except (SealBroken, FileNotFoundError, ArtifactCorrupt):
        return False
    return True


@contextmanager
def one_moment() -> Iterator[None]:
    """Read what the database held at one moment, whatever is written meanwhile; no writer waits.

    Within a transaction that is open already, it is that transaction's view.
    """
    if connection.in_atomic_block:
        yield
    elif connection.vendor == "postgresql":
        with _repeatable_read(), transaction.atomic():
            yield
    else:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN DEFERRED")  # Django's own transactions take SQLite's one place to write
            try:
                yield
            finally:
                cursor.execute("ROLLBACK")


@contextmanager
def _repeatable_read() -> Iterator[None]:
    connection.ensure_connection()
    driver: Any = connection.connection
    before = driver.isolation_level
    driver.isolation_level = 3  # psycopg.IsolationLevel.REPEATABLE_READ, for the transactions that begin now
    try:
        yield
    finally:
        driver.isolation_level = before
