"""A tenant from an archive: wholly or not at all."""

import shutil
from collections.abc import Callable
from typing import IO, Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.files.storage import default_storage
from django.db import DataError, IntegrityError, transaction

from mlplatform.errors import InvalidInput
from mlplatform.sealing.keys import KEY_BYTES
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.errors import TenantExists
from mlplatform.tenancy.models import KeyPurpose, Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_scope
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.audit_chain import verify_chain
from mlplatform.tenancy.services.data_keys import new_data_key
from registry.archives import ArchiveReader
from registry.errors import InvalidArchive, UntrustedArchive
from registry.services.arrival import Arrival, Imported
from registry.services.stored_files import stored_files
from registry.services.tenant_tables import departing_tables, entry_name, row_values

Said = Callable[[str], None]


def import_tenant(
    *, source: IO[bytes], by: Actor, slug: str | None = None, trust: bool = False, say: Said = lambda _: None
) -> Imported:
    """Make a tenant of the archive, under its own short name or another; all of it or nothing.

    Models are programs: an archive that no signing key of this installation signed is refused, unless the
    operator vouches for it (``trust``). Raises InvalidArchive, UntrustedArchive or TenantExists.
    """
    archive = ArchiveReader(source)
    signed = archive.is_signed([settings.ARTIFACT_KEY, *settings.ARTIFACT_KEY_FALLBACKS])
    if not signed and not trust:
        raise UntrustedArchive(
            "The archive is not signed with this installation's key, and the models in it are programs that "
            "will run here. If you know where it comes from, import it with --trust."
        )
    tenant = _new_tenant(archive.manifest, slug)
    _check_contents(archive, say)
    done = Imported(tenant.slug, signed=signed)
    try:
        with transaction.atomic():
            tenant.save(force_insert=True)
            with tenant_scope(tenant):
                _take_pseudonym_key(archive)
                Arrival(archive, done, renamed=slug is not None).fill(say)
                _tell(archive, done, by)
    except (IntegrityError, DataError) as error:
        _remove_files(tenant)
        raise InvalidArchive(f"Rows of the archive contradict others, or rows here: {error}") from error
    except BaseException:
        _remove_files(tenant)
        raise
    return done


def _new_tenant(manifest: dict[str, Any], slug: str | None) -> Tenant:
    about = manifest.get("tenant")
    if not isinstance(about, dict):
        raise InvalidArchive("The archive does not say whose it is.")
    values = row_values(Tenant, {name: value for name, value in about.items() if name != "id"})
    tenant = Tenant(**{**values, "slug": slug or values.get("slug")})
    try:
        tenant.clean_fields()
    except ValidationError as error:
        raise InvalidInput("The tenant cannot be made.", fields=error.message_dict) from error
    if Tenant.objects.filter(slug=tenant.slug).exists():
        raise TenantExists(f"A tenant {tenant.slug!r} exists already. Choose another short name with --as.")
    return tenant


def _check_contents(archive: ArchiveReader, say: Said) -> None:
    known = {entry_name(model) for model in departing_tables()}
    unknown = sorted(name for name in archive.entries if name.startswith("tables/") and name not in known)
    if unknown:
        raise InvalidArchive(f"A newer release wrote the archive: it holds {', '.join(unknown)[:200]}.")
    free = shutil.disk_usage(settings.DATA_DIR).free
    if archive.total_bytes > free:
        size = archive.total_bytes
        raise InvalidArchive(f"It unpacks to {size:,} bytes; {free:,} are free. Make room first.")
    for number, name in enumerate(archive.check_hashes(), start=1):
        say(f"checked {number} of {len(archive.entries)}: {name}")


def _take_pseudonym_key(archive: ArchiveReader) -> None:
    given = archive.manifest.get("pseudonym_key")
    if given is None:
        return
    try:
        secret = bytes.fromhex(given)
    except (TypeError, ValueError) as error:
        raise InvalidArchive("The archive's key of pseudonyms is damaged.") from error
    if len(secret) != KEY_BYTES:
        raise InvalidArchive("The archive's key of pseudonyms is damaged.")
    new_data_key(KeyPurpose.PSEUDONYMS, secret)


def _tell(archive: ArchiveReader, done: Imported, by: Actor) -> None:
    verdict = verify_chain()
    broken = verdict.broken
    done.audit_trail = f"broken at entry {broken.sequence}: {broken.problem}" if broken else "whole"
    record(
        by=by,
        action="tenant.imported",
        target=current_tenant(),
        exported_at=archive.manifest.get("exported_at"),
        signed=done.signed,
        audit_anchor=f"{verdict.events}:{verdict.hash}",
    )


def _remove_files(tenant: Tenant) -> None:
    """Take back what the storage holds of a tenant that did not come to be."""
    if tenant.pk:
        with tenant_scope(tenant):
            for path in stored_files():
                default_storage.delete(path)
