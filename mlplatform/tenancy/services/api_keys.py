"""Making and ending API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.authentication import make_key
from mlplatform.tenancy.errors import InvalidKeyRequest, KeyAlreadyRevoked
from mlplatform.tenancy.models import ApiKey, Scope
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record


@dataclass(frozen=True)
class CreatedKey:
    """The stored key and its secret, which is known at this moment only."""

    key: ApiKey
    secret: str


def create_api_key(
    *, name: str, scopes: Sequence[str], by: Actor, expires_at: datetime | None = None
) -> CreatedKey:
    """Create a key for the active tenant; raises InvalidKeyRequest."""
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise InvalidKeyRequest(
            f"Choose scopes from {', '.join(Scope.values)}.", fields={"scopes": [f"Unknown: {unknown}"]}
        )
    if not name.strip():
        raise InvalidKeyRequest("Give the key a name that tells who uses it.", fields={"name": ["Missing."]})
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidKeyRequest("The expiry lies in the past.", fields={"expires_at": ["In the past."]})
    made = make_key()
    with tenant_transaction():
        key = ApiKey.objects.create(
            name=name.strip(),
            prefix=made.prefix,
            secret_hash=made.secret_hash,
            scopes=sorted(set(scopes)),
            expires_at=expires_at,
            created_by=str(by),
        )
        record(by=by, action="api_key.created", target=key, after=fields_of(key, "created_at"))
    return CreatedKey(key, made.secret)


def revoke_api_key(*, key: ApiKey, by: Actor) -> ApiKey:
    """End a key at once; raises KeyAlreadyRevoked."""
    with tenant_transaction():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            raise KeyAlreadyRevoked(f"The key {key.name!r} was revoked before.")
        key.refresh_from_db()
        before, after = {"revoked_at": None}, {"revoked_at": key.revoked_at}
        record(by=by, action="api_key.revoked", target=key, before=before, after=after)
    return key
