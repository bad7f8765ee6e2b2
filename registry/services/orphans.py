"""Files that no row names, left by work that was killed between its file and its row; and the reverse.

A file that is about to be named may lie there already, left by earlier work: the content decides the name. So
whoever names a file does it under the lock of the tenant's usage and looks whether it is there
(``demand_stored``), and the sweep deletes under the same lock what nobody names.
"""

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import islice
from uuid import UUID

from django.core.files.storage import default_storage

from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import DataKey
from mlplatform.tenancy.scope import current_tenant, tenant_scope, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import locked_usage
from registry.services.stored_files import stored_columns, stored_files, unfinished_files
from registry.storage import file_key

logger = logging.getLogger(__name__)
# Longer than any job takes from its file to its row, and any write from its first byte to its last.
LEFT_FOR = timedelta(hours=24)
AT_ONCE = 50  # files deleted under one lock, and named in one entry of the trail
SHOWN = 20


@dataclass
class Sweep:
    """What a sweep deleted, or would delete; ``unknown`` files are sealed with a key that is not here."""

    tenant: str
    deleted: list[str] = field(default_factory=list)
    bytes: int = 0
    unknown: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)


def sweep_files(*, now: datetime, by: Actor, left_for: timedelta = LEFT_FOR, dry_run: bool = False) -> Sweep:
    """Delete the active tenant's files that no row has named for ``left_for``, and broken-off writes.

    A file that another database's keys seal is left alone: the storage may belong to somebody else. ``kept``
    are those that the storage would not delete.
    """
    done, before = Sweep(current_tenant().slug), now - left_for
    with tenant_transaction():
        named = set(_named())
        keys = set(DataKey.objects.values_list("pk", flat=True))
    unnamed = (path for path in stored_files() if path not in named and _is_older(path, before))
    orphans: list[str] = []
    for path in unnamed:
        (orphans if _is_ours(path, keys) else done.unknown).append(path)
    orphans += [path for path in unfinished_files() if _is_older(path, before)]
    if dry_run:
        done.deleted, done.bytes = orphans, sum(map(_size, orphans))
        return done
    rest = iter(orphans)
    while some := list(islice(rest, AT_ONCE)):
        _delete(some, before, done, by)
    return done


def missing_files() -> list[str]:
    """Return which of the active tenant's rows name a file that is not there, in words."""
    with tenant_scope(current_tenant()), tenant_transaction():
        rows = [
            (f"{model._meta.verbose_name} {pk}", path)
            for model, column in stored_columns()
            for pk, path in model.objects.order_by("pk").values_list("pk", column.attname)
        ]
    return [f"{row}: {path}" for row, path in rows if path and not default_storage.exists(path)]


def _named(among: list[str] | None = None) -> Iterator[str]:
    """Yield the paths that rows name, in or out of sight; call it in a transaction."""
    with tenant_scope(current_tenant()):
        for model, column in stored_columns():
            rows = (
                model.objects.all()
                if among is None
                else model.objects.filter(**{f"{column.name}__in": among})
            )
            yield from rows.values_list(column.attname, flat=True)


def _is_older(path: str, before: datetime) -> bool:
    try:
        return default_storage.get_modified_time(path) < before
    except FileNotFoundError:  # gone since it was listed
        return False


def _is_ours(path: str, keys: set[UUID]) -> bool:
    try:
        key = file_key(path)
    except (FileNotFoundError, SealBroken):
        return False
    return key in keys


def _size(path: str) -> int:
    try:
        return default_storage.size(path)
    except FileNotFoundError:
        return 0


def _delete(paths: list[str], before: datetime, done: Sweep, by: Actor) -> None:
    """Delete those of the files that are still named by nobody, with the entry that tells of it first."""
    with tenant_transaction():
        locked_usage()
        named = set(_named(paths))
        going = {path: _size(path) for path in paths if path not in named and _is_older(path, before)}
        if not going:
            return
        record(
            by=by,
            action="files.swept",
            target=current_tenant(),
            files=len(going),
            bytes=sum(going.values()),
            paths=list(going)[:SHOWN],
        )
        for path, size in going.items():
            try:
                default_storage.delete(path)
            except OSError:
                logger.warning("The file %s could not be deleted.", path, exc_info=True)
                done.kept.append(path)
            else:
                done.deleted.append(path)
                done.bytes += size
