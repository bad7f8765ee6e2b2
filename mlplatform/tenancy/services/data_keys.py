"""The active tenant's own keys, and what is sealed or hashed with them."""

import hmac
from base64 import b64decode, b64encode
from dataclasses import dataclass
from uuid import UUID

from django.db import IntegrityError

from mlplatform import vault
from mlplatform.sealing.errors import KeyNotFound, SealBroken
from mlplatform.sealing.keys import new_key
from mlplatform.sealing.texts import open_text, seal_text
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import DataKey, KeyPurpose
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import record


@dataclass(frozen=True)
class OpenKey:
    """A key ready for use; its secret is never stored, logged or shown."""

    id: UUID
    secret: bytes

    def __repr__(self) -> str:
        return f"OpenKey({self.id})"


def current_key(purpose: str = KeyPurpose.DATA) -> OpenKey:
    """Return the active tenant's current key for the purpose, making it at the first call."""
    current = DataKey.objects.filter(purpose=purpose, retired_at=None)
    row = current.first()
    if row is None:
        try:
            with tenant_transaction():
                row = new_data_key(purpose)
        except IntegrityError:  # somebody else was first
            row = current.get()
    return _opened(row)


def new_data_key(purpose: str, secret: bytes | None = None) -> DataKey:
    """Return a new key, stored; raises IntegrityError where the purpose has a current one.

    ``secret`` is that of a key which came with an imported tenant; others are made here.
    """
    row = DataKey(purpose=purpose)
    row.wrapped = wrapped(row, secret or new_key())
    row.save(force_insert=True)
    return row


def find_key(key_id: UUID) -> bytes:
    """Return the secret of one of the active tenant's keys, retired or not; raises KeyNotFound."""
    row = DataKey.objects.filter(pk=key_id).first()
    if row is None:
        raise KeyNotFound(f"This tenant has no data key {key_id}: what it sealed cannot be read any more.")
    return _opened(row).secret


def wrapped(row: DataKey, secret: bytes) -> str:
    """Return the key's secret sealed under the current master key, for this row alone."""
    return vault.seal(b64encode(secret).decode(), purpose=_wrapping(row))


def unwrapped(row: DataKey) -> bytes:
    """Return the key's secret; raises KeyNotFound where the master key is not there."""
    return b64decode(vault.unseal(row.wrapped, purpose=_wrapping(row)))


def rewrap_keys(*, by: Actor, dry_run: bool = False) -> int:
    """Wrap the active tenant's keys under the current master key where an earlier one did; say how many.

    Files and secrets stay as they are: only what opens them changes hands. Raises KeyNotFound, before
    anything is written, where the earlier master key is not there.
    """
    with tenant_transaction():
        rows = [row for row in DataKey.objects.select_for_update() if not vault.is_current(row.wrapped)]
        if dry_run or not rows:
            return len(rows)
        for row in rows:
            row.wrapped = vault.reseal(row.wrapped, purpose=_wrapping(row))
            row.save(update_fields=["wrapped"])
        record(by=by, action="data_key.rewrapped", target=DataKey, keys=len(rows))
    return len(rows)


def seal(text: str, *, purpose: str) -> str:
    """Return a secret of the active tenant encrypted, for a column of one of its rows.

    ``purpose`` says what it is, for example ``password of a data source``; the same is needed to open it.
    """
    key = current_key(KeyPurpose.SECRETS)
    return seal_text(text, key=key.secret, key_id=key.id.hex, context=_owned(purpose))


def unseal(sealed: str, *, purpose: str) -> str:
    """Return the secret; raises NotSealed, KeyNotFound, or SealBroken where it was changed or moved."""
    return open_text(sealed, key_of=_key_named, context=_owned(purpose))


def keyed_hash(text: str, *, purpose: str = KeyPurpose.PSEUDONYMS) -> str:
    """Return the text's HMAC-SHA256 (hex) under the active tenant's key, which no other tenant can make."""
    return hmac.digest(current_key(purpose).secret, text.encode(), "sha256").hex()


def _opened(row: DataKey) -> OpenKey:
    return OpenKey(row.pk, unwrapped(row))


def _wrapping(row: DataKey) -> str:
    return f"{row.purpose} key {row.pk} of tenant {row.tenant_id}"


def _owned(purpose: str) -> str:
    return f"tenant {current_tenant_id()}: {purpose}"


def _key_named(key_id: str) -> bytes:
    try:
        return find_key(UUID(hex=key_id))
    except ValueError as error:
        raise SealBroken("A stored secret names no key. Enter it again.") from error
