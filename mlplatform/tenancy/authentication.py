"""API keys: their form, how they are made, and how a request's key is checked."""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from mlplatform.tenancy.lookups import keys_with_prefix
from mlplatform.tenancy.models import ApiKey
from mlplatform.tenancy.scope import tenant_scope

KEY_FORM = re.compile(r"mlp_([A-Za-z0-9]{8})_([A-Za-z0-9_-]{43})")
LAST_USE_RESOLUTION = timedelta(minutes=1)


class InvalidApiKey(Exception):
    """The key is unknown, malformed, expired or revoked; the answer is the same for all.

    ``key`` is the key that the prefix names, if any, for its tenant's audit trail alone.
    """

    def __init__(self, key: ApiKey | None = None, reason: str = "") -> None:
        super().__init__(reason)
        self.key, self.reason = key, reason


@dataclass(frozen=True)
class NewKey:
    """A key as it is shown once: its public prefix and the whole secret."""

    prefix: str
    secret: str
    secret_hash: str


def make_key() -> NewKey:
    """Return a fresh key with 256 random bits; only its hash is to be stored."""
    alphabet = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789"
    prefix = "".join(secrets.choice(alphabet) for _ in range(8))
    secret = f"mlp_{prefix}_{secrets.token_urlsafe(32)}"
    return NewKey(prefix, secret, hash_key(secret))


def hash_key(secret: str) -> str:
    """Return the SHA-256 of a key. The key itself has 256 random bits, so no slow hash is needed."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_in_header(request: HttpRequest) -> str | None:
    """Return the bearer token of the request, or None."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" and value.strip() else None


def authenticate_key(secret: str) -> ApiKey:
    """Return the live key with this secret; raises InvalidApiKey otherwise."""
    form = KEY_FORM.fullmatch(secret)
    if form is None:
        raise InvalidApiKey
    offered = hash_key(secret)
    now = timezone.now()
    refused = InvalidApiKey()
    for key in keys_with_prefix(form[1]):
        right = hmac.compare_digest(key.secret_hash, offered)
        if right and key.is_live(now) and key.tenant.is_active:
            _note_use(key)
            return key
        refused = InvalidApiKey(key, "no longer valid" if right else "wrong secret")
    raise refused


def _note_use(key: ApiKey) -> None:
    now = timezone.now()
    if key.last_used_at is None or now - key.last_used_at > LAST_USE_RESOLUTION:
        with tenant_scope(key.tenant):
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now)
