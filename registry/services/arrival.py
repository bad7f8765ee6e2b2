"""The rows and files of an archive, as they become those of a new tenant.

Rows get new keys, since other tenants' rows stand in the same tables; every link follows them, and the audit
trail, whose entries are sealed, notes the new key beside the old one. Files are sealed with the new tenant's
keys, and models are signed for it.
"""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, cast
from uuid import UUID

from django.apps import apps
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import connection, models
from django.utils import timezone

from mlplatform.tenancy.lookups import keys_with_prefix
from mlplatform.tenancy.models import ApiKey, AuditEvent, AuditHead, Tenant, TenantModel, User
from mlplatform.tenancy.scope import current_tenant_id
from mlplatform.tenancy.walls import tenant_links
from registry.archives import ArchiveReader
from registry.artifacts.signing import seal
from registry.errors import InvalidArchive
from registry.models import ModelVersion
from registry.models.fields import StoredFile
from registry.services.loading import owner_label
from registry.services.tenant_tables import columns, departing_tables, entry_name, row_values
from registry.storage import content_path, read_bytes, tenant_folder, write_file

GONE = "gone"  # the object that an entry of the trail tells of did not arrive: it was deleted before
# Of tables that nothing links to and that are larger than this, the trail does not follow the keys.
FOLLOWED = 200_000
UUID_TAIL_BITS = 62  # behind time and version


@dataclass
class Imported:
    """What arrived: rows by table, the number of files, and what the trail's check found."""

    tenant: str
    rows: dict[str, int] = field(default_factory=dict)
    files: int = 0
    signed: bool = False
    audit_trail: str = ""
    accounts_made: int = 0


class Arrival:
    """One import into the active tenant: which old key became which new one."""

    def __init__(self, archive: ArchiveReader, done: Imported, *, renamed: bool) -> None:
        self._archive, self._done = archive, done
        self._new_keys: dict[type[models.Model], dict[int, int]] = {}
        # A copy, perhaps beside the original, needs keys of its own for what is unique in the world. The
        # time in them, and with it their order, stays.
        self._mask = secrets.randbits(UUID_TAIL_BITS) if renamed else 0
        self._finish: dict[type[models.Model], Callable[[Any], None]] = {
            ApiKey: self._end_a_twin,
            AuditEvent: self._follow_the_object,
            AuditHead: self._keep_the_origin,
            ModelVersion: self._sign,
        }

    def fill(self, say: Callable[[str], None]) -> None:
        """Insert every row and store every file; raises InvalidArchive."""
        for model in departing_tables():
            if entry_name(model) in self._archive.entries:
                count = self._fill_table(model)
                self._done.rows[model._meta.label_lower] = count
                say(f"{model._meta.verbose_name_plural}: {count} rows")

    def _fill_table(self, model: type[TenantModel]) -> int:
        name, keys = entry_name(model), self._new_keys.setdefault(model, {})
        expected = self._archive.entries[name].get("rows")
        follow = (expected or 0) <= FOLLOWED or _is_linked_to(model)
        count, lines = 0, self._archive.rows(name)
        while batch := list(islice(lines, _batch_size(model))):
            new = []
            for line in batch:
                known = self._here_already(model, line)
                if known is None:
                    new.append(line)
                else:
                    keys[line["id"]] = known
            rows = [self._row(model, line) for line in new]
            if rows:
                _insert(model, rows)
            count += len(batch)
            if follow and not isinstance(model._meta.pk, models.UUIDField):
                keys.update(zip((line["id"] for line in new), (row.pk for row in rows), strict=True))
        if count != expected:
            raise InvalidArchive(f"{name} holds {count} rows, the manifest says {expected}.")
        return count

    def _here_already(self, model: type[TenantModel], line: dict[str, Any]) -> int | None:
        """Return the key of the row that stands for this one here, None where it is to arrive."""
        return None

    def _row(self, model: type[TenantModel], line: dict[str, Any]) -> TenantModel:
        values = row_values(model, line)
        if "id" not in values:
            raise InvalidArchive(f"A row of {model._meta.label} has no number.")
        for column in columns(model):
            value = values.get(column.attname)
            if value in (None, ""):
                continue
            if isinstance(column, StoredFile):
                values[column.attname] = self._store(column, value)
            elif isinstance(column, models.ForeignKey):
                values[column.attname] = self._linked(column, value)
        if isinstance(model._meta.pk, models.UUIDField):
            values["id"] = self._new_key(model, values["id"])
        else:
            del values["id"]
        row = model(**values)
        row.arrive()
        self._finish.get(model, lambda _: None)(row)
        return row

    def _linked(self, column: "models.ForeignKey[Any, Any]", value: Any) -> Any:
        other = column.related_model
        if other is User:
            return self._account(value).pk
        return self._new_key(other, value) if issubclass(other, TenantModel) else None

    def _new_key(self, model: type[models.Model], old: Any) -> Any:
        if isinstance(model._meta.pk, models.UUIDField):
            return UUID(int=UUID(str(old)).int ^ self._mask)
        new = self._new_keys.get(model, {}).get(old)
        if new is None:
            raise InvalidArchive(f"The archive links to {model._meta.label} {old}, which is not in it.")
        return new

    def _account(self, email: Any) -> User:
        """Return the account of this address, made without a password where there is none."""
        found = User.objects.filter(email=str(email).lower()).first()
        if found is not None:
            return found
        try:
            User._meta.get_field("email").run_validators(email)
        except ValidationError as error:
            raise InvalidArchive(f"{str(email)[:80]!r} is not an e-mail address.") from error
        self._done.accounts_made += 1
        return User.objects.create_user(email)

    def _store(self, column: StoredFile, entry: str) -> str:
        if entry not in self._archive.entries:  # it was damaged or gone where it came from
            return f"{tenant_folder(column.folder)}/missing"
        path = content_path(column.folder, self._archive.entries[entry]["sha256"])
        with self._archive.open(entry) as file:
            write_file(path, file)
        self._done.files += 1
        return path

    def _sign(self, version: ModelVersion) -> None:
        """Sign artefact and twin for their new owner, where they are those that the row names."""
        version.artifact_signature = _signature(version.artifact_file, version.artifact_hash)
        version.twin_signature = _signature(version.twin_file, version.twin_hash)

    def _end_a_twin(self, key: ApiKey) -> None:
        """Revoke a key that opens another tenant of this server already: it could not tell them apart."""
        if key.revoked_at is None and keys_with_prefix(key.prefix):
            key.revoked_at = timezone.now()

    def _keep_the_origin(self, head: AuditHead) -> None:
        head.origin = head.origin or self._archive.manifest["tenant"]["slug"]

    def _follow_the_object(self, event: AuditEvent) -> None:
        if event.moved_to == GONE or not event.object_id:
            return
        try:
            model = apps.get_model(event.object_type)
        except (LookupError, ValueError):  # no table's object
            return
        event.moved_to = self._place_here(model, event.object_here)

    def _place_here(self, model: type[models.Model], old: str) -> str:
        if model is Tenant:
            return str(current_tenant_id())
        try:
            known = old if isinstance(model._meta.pk, models.UUIDField) else int(old)
            return str(self._new_key(model, known))
        except (InvalidArchive, ValueError):
            return GONE


def _signature(path: str, sha256: str) -> str:
    """Return the active tenant's signature of the stored file, or nothing where it is not that content."""
    if not path or path.endswith("/missing"):
        return ""
    data = read_bytes(path)
    if hashlib.sha256(data).hexdigest() != sha256:
        return ""
    return seal(data, key=settings.ARTIFACT_KEY, owner=owner_label(current_tenant_id())).signature


def _is_linked_to(model: type[TenantModel]) -> bool:
    return any(link.related_model is model for other in departing_tables() for link in tenant_links(other))


def _batch_size(model: type[TenantModel]) -> int:
    if any(link.related_model is model for link in tenant_links(model)):
        return 1  # a row that links to one of its own table needs that one's key first
    fields = list(model._meta.concrete_fields)
    return min(connection.ops.bulk_batch_size(fields, [None] * 500), 500)


def _insert(model: type[TenantModel], rows: list[TenantModel]) -> None:
    """Insert rows as they are, dates included, as Django does with fixtures; past the doors of history."""
    key = model._meta.pk
    fields = [column for column in model._meta.concrete_fields if not isinstance(column, models.AutoField)]
    made = cast(Any, models.QuerySet(model))._insert(
        rows, fields=fields, using=connection.alias, returning_fields=[key], raw=True
    )
    for row, (value,) in zip(rows, made, strict=True):
        row.pk = value
