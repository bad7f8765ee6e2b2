"""API keys: their form, how they are made, and how a request's key or token is checked."""

import hashlib
import hmac
import re
import secrets
from base64 import b64decode
from dataclasses import dataclass
from datetime import timedelta

from django.http import HttpRequest
from django.utils import timezone

from mlplatform.tenancy.chain import plain_address
from mlplatform.tenancy.lookups import keys_with_prefix
from mlplatform.tenancy.models import ApiKey, Scope
from mlplatform.tenancy.request_context import current_request
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.tokens import InvalidToken, read_token

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
    """Return what the request signs in with, or None."""
    return key_in_credentials(request.headers.get("Authorization", ""))


def key_in_credentials(credentials: str) -> str | None:
    """Return what the value of ``Authorization`` holds, or None: a bearer token, or the password of Basic.

    Clients that know Basic alone send the key as the password, beside any user name, or as the user name
    with an empty password. What cannot be read is refused like a wrong key.
    """
    scheme, _, value = credentials.partition(" ")
    value = value.strip()
    if scheme.lower() == "basic":
        return _basic(value) or scheme  # a text that is no key
    return value if scheme.lower() == "bearer" and value else None


def _basic(value: str) -> str:
    try:
        user, _, password = b64decode(value, validate=True).decode().partition(":")
    except ValueError:
        return ""
    return password or user


def authenticate_key(secret: str) -> ApiKey:
    """Return the live key with this secret, or the one that this token stands for; raises InvalidApiKey."""
    form = KEY_FORM.fullmatch(secret)
    if form is None:
        return _key_of_token(secret)
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


def _key_of_token(token: str) -> ApiKey:
    """Return a copy of the token's key with no more than the token's own scopes and models."""
    try:
        claims = read_token(token)
    except InvalidToken as error:
        raise InvalidApiKey from error
    key = next((one for one in keys_with_prefix(claims.sub) if one.pk == claims.key), None)
    if key is None:
        raise InvalidApiKey
    models = [name for name in claims.models or key.model_names if name in (key.model_names or [name])]
    narrowed_to_nothing = not models and bool(claims.models or key.model_names)
    if not key.is_live(timezone.now()) or not key.tenant.is_active or narrowed_to_nothing:
        raise InvalidApiKey(key, "its token: no longer valid")
    _note_use(key)
    key.is_token, key.model_names = True, models
    key.scopes = [scope for scope in claims.scopes if scope in key.scopes and scope != Scope.ADMIN]
    return key


def _note_use(key: ApiKey) -> None:
    now, address = timezone.now(), plain_address(current_request().address)
    if key.last_used_at is None or now - key.last_used_at > LAST_USE_RESOLUTION:
        with tenant_scope(key.tenant):
            ApiKey.objects.filter(pk=key.pk).update(last_used_at=now, last_used_from=address)
