"""Handing out short-lived tokens that stand for an API key."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils import timezone

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.errors import InvalidKeyRequest
from mlplatform.tenancy.models import ApiKey, Grant, Scope
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.tokens import sign_token

LIFETIME_SECONDS = 15 * 60
SHORTEST_SECONDS, LONGEST_SECONDS = 30, 60 * 60
MOST_MODELS = 50  # the token travels in a header


@dataclass(frozen=True)
class IssuedToken:
    """A token as it is shown once, and what it is good for; no ``models`` means those of its key."""

    token: str
    expires_at: datetime
    scopes: list[str]
    models: list[str]


def issue_token(
    *,
    key: ApiKey,
    scopes: Sequence[str] = (),
    models: Sequence[str] = (),
    lifetime_seconds: int = LIFETIME_SECONDS,
) -> IssuedToken:
    """Return a token with some of the key's scopes and models, without any named: all of them.

    It never has the scope admin, and ends with its key. The trail records it, a busy key's only in numbers.
    Raises NotAllowed for a key that is itself a token, InvalidKeyRequest for what the key does not have.
    """
    if key.is_token:
        raise NotAllowed("A token cannot have another one made. Use the API key itself.")
    possible = set(key.scopes) - {Scope.ADMIN}
    chosen = sorted(set(scopes or possible))
    _check(chosen, possible, field="scopes", words="This key has, for tokens, the scopes")
    if models:
        known = set(Grant.models_of_tenant().values_list("name", flat=True))
        _check(set(models), known, field="models", words="This key is good for the models")
    if len(models) > MOST_MODELS or not SHORTEST_SECONDS <= lifetime_seconds <= LONGEST_SECONDS:
        detail = f"At most {MOST_MODELS} models, and {SHORTEST_SECONDS} to {LONGEST_SECONDS} seconds of life."
        raise InvalidKeyRequest(detail)
    expires_at = timezone.now().replace(microsecond=0) + timedelta(seconds=lifetime_seconds)
    expires_at = expires_at if key.expires_at is None else min(expires_at, key.expires_at)
    token, number = sign_token(
        prefix=key.prefix,
        key=key.pk,
        scopes=chosen,
        models=sorted(set(models)) or None,
        expires_at=expires_at,
    )
    details = {"id": number, "scopes": chosen, "models": sorted(set(models)), "expires_at": expires_at}
    record_attempt(by=Actor.of(key), action="api_key.issued_token", target=key, details=details)
    return IssuedToken(token, expires_at, chosen, sorted(set(models)) or key.model_names)


def _check(asked: Collection[str], possible: Collection[str], *, field: str, words: str) -> None:
    if unknown := sorted(set(asked) - set(possible)):
        shown = ", ".join(sorted(possible)[:MOST_MODELS]) or "none"
        raise InvalidKeyRequest(f"{words} {shown}.", fields={field: [f"Not among them: {unknown}"[:500]]})
    if not asked:
        raise InvalidKeyRequest(f"{words} {'; '.join(possible) or 'none'}. Make one with others.")
