"""Making, rotating and ending API keys."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import IntegrityError
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.authentication import make_key
from mlplatform.tenancy.errors import InvalidKeyRequest, KeyAlreadyRevoked, KeyAlreadyRotated, KeyNotFound
from mlplatform.tenancy.limits import limit_of
from mlplatform.tenancy.models import ApiKey, Grant, Scope
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record

OVERLAP_HOURS = 24
LONGEST_OVERLAP_HOURS = 30 * 24


@dataclass(frozen=True)
class CreatedKey:
    """The stored key and its secret, which is known at this moment only."""

    key: ApiKey
    secret: str


def find_api_key(prefix: str) -> ApiKey:
    """Return the tenant's key that begins with ``mlp_`` and this prefix; raises KeyNotFound."""
    key = ApiKey.objects.filter(prefix=prefix.removeprefix("mlp_")[:8]).first()
    if key is None:
        raise KeyNotFound(f"No key of this tenant begins with {prefix[:20]!r}. The console lists them.")
    return key


def create_api_key(
    *,
    name: str,
    scopes: Sequence[str],
    by: Actor,
    models: Sequence[str] = (),
    expires_at: datetime | None = None,
    requests_per_minute: int | None = None,
) -> CreatedKey:
    """Create a key for the active tenant, good for the models of these names or, without any, for all.

    Without ``requests_per_minute`` only the tenant's limit holds. Raises InvalidKeyRequest.
    """
    _check_scopes(scopes)
    _check_models(models, scopes)
    if not name.strip():
        raise InvalidKeyRequest("Give the key a name that tells who uses it.", fields={"name": ["Missing."]})
    if expires_at is not None and expires_at <= timezone.now():
        raise InvalidKeyRequest("The expiry lies in the past.", fields={"expires_at": ["In the past."]})
    _check_rate(requests_per_minute)
    with tenant_transaction():
        made = _store(
            by=by,
            name=name.strip(),
            scopes=sorted(set(scopes)),
            model_names=sorted(set(models)),
            expires_at=expires_at,
            requests_per_minute=requests_per_minute,
        )
        record(by=by, action="api_key.created", target=made.key, after=fields_of(made.key, "created_at"))
    return made


def rotate_api_key(*, key: ApiKey, by: Actor, overlap_hours: int = OVERLAP_HOURS) -> CreatedKey:
    """Make the key's successor, equal in name, scopes, models, limit and length of life.

    The old key works for ``overlap_hours`` more, not at all with 0, and never beyond its own expiry. Of two
    rotations at once one wins. Raises InvalidKeyRequest, KeyAlreadyRevoked, KeyAlreadyRotated.
    """
    if not 0 <= overlap_hours <= LONGEST_OVERLAP_HOURS:
        detail = f"The old key can stay valid for 0 to {LONGEST_OVERLAP_HOURS} hours."
        raise InvalidKeyRequest(detail, fields={"overlap_hours": [detail]})
    now = timezone.now()
    if not key.is_live(now):
        raise KeyAlreadyRevoked(f"The key {key.name!r} has ended. Create a new one instead.")
    ends = now + timedelta(hours=overlap_hours)
    try:
        with tenant_transaction():
            made = _store(
                by=by,
                name=key.name,
                scopes=key.scopes,
                model_names=key.model_names,
                requests_per_minute=key.requests_per_minute,
                expires_at=None if key.expires_at is None else now + (key.expires_at - key.created_at),
                rotated_from=key,
            )
            before = {"expires_at": key.expires_at}
            key.expires_at = ends if key.expires_at is None else min(ends, key.expires_at)
            key.save(update_fields=["expires_at"])
            after = {"expires_at": key.expires_at, "successor": made.key.pk}
            record(by=by, action="api_key.rotated", target=key, before=before, after=after)
            record(by=by, action="api_key.created", target=made.key, after=fields_of(made.key, "created_at"))
    except IntegrityError as error:
        raise KeyAlreadyRotated(
            f"The key {key.name!r} has a successor already. Use that one, or rotate it in its turn."
        ) from error
    return made


def revoke_api_key(*, key: ApiKey, by: Actor) -> ApiKey:
    """End a key at once; raises KeyAlreadyRevoked."""
    with tenant_transaction():
        if not ApiKey.objects.filter(pk=key.pk, revoked_at=None).update(revoked_at=timezone.now()):
            raise KeyAlreadyRevoked(f"The key {key.name!r} was revoked before.")
        key.refresh_from_db()
        before, after = {"revoked_at": None}, {"revoked_at": key.revoked_at}
        record(by=by, action="api_key.revoked", target=key, before=before, after=after)
    return key


def limit_api_key(*, key: ApiKey, requests_per_minute: int | None, by: Actor) -> ApiKey:
    """Let the key make this many requests a minute, None for as many as its tenant.

    Raises InvalidKeyRequest.
    """
    _check_rate(requests_per_minute)
    with tenant_transaction():
        key = ApiKey.objects.select_for_update().get(pk=key.pk)
        before = {"requests_per_minute": key.requests_per_minute}
        key.requests_per_minute = requests_per_minute
        key.save(update_fields=["requests_per_minute"])
        after = {"requests_per_minute": requests_per_minute}
        record(by=by, action="api_key.limited", target=key, before=before, after=after)
    return key


def _check_rate(requests_per_minute: int | None) -> None:
    most = limit_of(current_tenant(), "requests_per_minute")
    if requests_per_minute is not None and not 1 <= requests_per_minute <= most:
        message = f"Choose from 1 to the tenant's own limit, {most:,} requests a minute."
        raise InvalidKeyRequest(message, fields={"requests_per_minute": [message]})


def _store(*, by: Actor, **fields: object) -> CreatedKey:
    made = make_key()
    key = ApiKey.objects.create(
        prefix=made.prefix, secret_hash=made.secret_hash, created_by=str(by)[:200], **fields
    )
    return CreatedKey(key, made.secret)


def _check_scopes(scopes: Sequence[str]) -> None:
    unknown = sorted(set(scopes) - set(Scope.values))
    if unknown or not scopes:
        raise InvalidKeyRequest(
            f"Choose scopes from {', '.join(Scope.values)}.", fields={"scopes": [f"Unknown: {unknown}"]}
        )


def _check_models(models: Sequence[str], scopes: Sequence[str]) -> None:
    if models and Scope.ADMIN in scopes:
        detail = "Members, keys and the audit trail are the whole tenant's: the scope admin takes no models."
        raise InvalidKeyRequest(detail, fields={"models": [detail]})
    known = set(Grant.models_of_tenant().values_list("name", flat=True)) if models else set()
    if unknown := sorted(set(models) - known):
        detail = f"There are no such models: {', '.join(unknown)[:500]}."
        raise InvalidKeyRequest(detail, fields={"models": [detail]})
