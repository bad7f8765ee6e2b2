"""New keys under what is stored, while everything goes on running.

A new key is current from one moment on; then one file after the other is sealed anew in its place. Readers
open either, since a file names its key. What was interrupted goes on at the next call: a retired key that is
still there says that a rotation is unfinished. It is deleted once no file needs it and no write can still be
under way.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import UUID, uuid4

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from mlplatform.sealing.errors import SealBroken
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import DataKey, KeyPurpose
from mlplatform.tenancy.scope import current_tenant, current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.data_keys import current_key, new_data_key
from registry.artifacts.signing import seal
from registry.errors import ArtifactCorrupt
from registry.models import ModelVersion
from registry.services.damage import SIGNED_FILES
from registry.services.loading import owner_label, verified_bytes
from registry.services.stored_files import stored_files
from registry.storage import file_key, open_any, write_file

# Longer than any file takes from its first byte to its place.
WRITES_END_WITHIN = timedelta(minutes=15)
Progress = Callable[[int, int], None]


@dataclass
class Rotation:
    """What a rotation did, or would do: numbers of files, of versions, and of keys."""

    tenant: str
    files: int = 0
    sealed_anew: int = 0
    were_in_the_clear: int = 0
    damaged: list[str] = field(default_factory=list)
    signed_anew: int = 0
    old_keys_deleted: int = 0
    old_keys_kept: int = 0


def rotate_data_key(
    *,
    by: Actor,
    dry_run: bool = False,
    on_progress: Progress | None = None,
    writes_end_within: timedelta = WRITES_END_WITHIN,
) -> Rotation:
    """Give the active tenant a new data key and seal its files anew, or finish what was interrupted.

    Files that an older release left in the clear are sealed; a damaged one is left as it is, and the key that
    it names is kept. Versions signed with an earlier signing key are signed anew.
    """
    report, paths, resumes = Rotation(current_tenant().slug), stored_files(), _retired().exists()
    if not dry_run and not resumes:
        _retire_current_key(by)
    # What would begin a rotation would seal everything, under a key that is still to be made.
    wanted = uuid4() if dry_run and not resumes else current_key().id
    used = set()
    for number, path in enumerate(paths, start=1):
        used.add(_seal_anew(path, wanted, report, dry_run=dry_run))
        if on_progress is not None:
            on_progress(number, len(paths))
    report.files = len(paths)
    if not dry_run:
        report.signed_anew = sign_anew(by=by)
        _delete_retired(used, report, by, before=timezone.now() - writes_end_within)
    report.old_keys_kept = _retired().count()
    return report


def sign_anew(*, by: Actor) -> int:
    """Sign anew the tenant's versions that an earlier signing key signed; return how many."""
    if not settings.ARTIFACT_KEY_FALLBACKS:
        return 0
    count = 0
    for version in ModelVersion.objects.select_related("model").order_by("pk"):
        signatures = _new_signatures(version)
        if not signatures:
            continue
        with tenant_transaction():
            ModelVersion.objects.filter(pk=version.pk).update(**signatures)
            record(by=by, action="version.signed_anew", target=version)
        count += 1
    return count


def _new_signatures(version: ModelVersion) -> dict[str, str]:
    """Return the columns whose signature an earlier key made, with what the current one makes."""
    owner, changed = owner_label(current_tenant_id()), {}
    for kind in SIGNED_FILES:
        if not getattr(version, f"{kind}_file"):
            continue
        try:
            data = verified_bytes(version, kind)
        except ArtifactCorrupt:  # told by whoever loads it; a rotation is no cure
            continue
        signature = seal(data, key=settings.ARTIFACT_KEY, owner=owner).signature
        if signature != getattr(version, f"{kind}_signature"):
            changed[f"{kind}_signature"] = signature
    return changed


def _retired() -> QuerySet[DataKey]:
    return DataKey.objects.filter(purpose=KeyPurpose.DATA, retired_at__isnull=False)


def _retire_current_key(by: Actor) -> None:
    before = current_key().id
    with tenant_transaction():
        # Of two rotations at once, one retires the key and the other goes on with the new one.
        if DataKey.objects.filter(pk=before, retired_at=None).update(retired_at=timezone.now()):
            made = new_data_key(KeyPurpose.DATA)
            record(
                by=by,
                action="data_key.rotated",
                target=made,
                before={"key": str(before)},
                after={"key": str(made.pk)},
            )


def _seal_anew(path: str, wanted: UUID, report: Rotation, *, dry_run: bool) -> UUID | None:
    """Seal the file under the wanted key where it is not; return the key that it names afterwards."""
    key = None
    try:
        key = file_key(path)
        if key == wanted:
            return key
        if not dry_run:
            with open_any(path) as source:
                write_file(path, source)
    except FileNotFoundError:  # gone since it was listed
        return None
    except SealBroken:
        report.damaged.append(path)
        return key
    report.sealed_anew += 1
    report.were_in_the_clear += key is None
    return wanted


def _delete_retired(used: set[UUID | None], report: Rotation, by: Actor, *, before: datetime) -> None:
    with tenant_transaction():
        unused = list(
            _retired().exclude(pk__in=[key for key in used if key is not None]).filter(retired_at__lte=before)
        )
        for key in unused:
            record(by=by, action="data_key.deleted", target=key)
            key.delete()
    report.old_keys_deleted = len(unused)
