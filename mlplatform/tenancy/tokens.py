"""Short-lived signed tokens (JWT) that stand for an API key, for a browser or a device: their form alone.

The algorithm is fixed, so a token cannot choose a weaker one. The signing key follows from the server's
secret key; tokens signed under one of ``ML_SECRET_KEY_FALLBACKS`` are good until they expire.
"""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

import jwt
import msgspec
from django.conf import settings

from mlplatform.sealing.keys import derived_key, fingerprint

ALGORITHM, ISSUER, AUDIENCE = "HS256", "mlplatform", "mlplatform-api"
USE = b"mlplatform: tokens that stand for API keys"
LONGEST_TOKEN = 8_000  # characters; servers cut off longer headers
REQUIRED = ["iss", "aud", "sub", "iat", "exp", "jti"]


class InvalidToken(Exception):
    """Not signed by this server, expired, or not a token at all."""


@dataclass(frozen=True)
class Claims:
    """What a token says: the key's id and public prefix, and what of the key's rights the token has.

    ``models`` is None where the token is good for every model that its key is good for.
    """

    sub: str
    key: int
    scopes: list[str]
    exp: int
    models: list[str] | None = None
    jti: str = ""


def sign_token(
    *, prefix: str, key: int, scopes: Sequence[str], models: Sequence[str] | None, expires_at: datetime
) -> tuple[str, str]:
    """Return a signed token and its id."""
    kid, secret = next(iter(_keys(settings.SECRET_KEY, ())))
    claims: dict[str, object] = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": prefix,
        "key": key,
        "scopes": list(scopes),
        "iat": datetime.now(UTC),
        "exp": expires_at,
        "jti": secrets.token_hex(16),
    }
    if models is not None:
        claims["models"] = list(models)
    return jwt.encode(claims, secret, algorithm=ALGORITHM, headers={"kid": kid}), str(claims["jti"])


def read_token(token: str) -> Claims:
    """Return what the token says; raises InvalidToken.

    Signature, issuer, audience and expiry are checked before anything else of it is looked at.
    """
    if len(token) > LONGEST_TOKEN or token.count(".") != 2:
        raise InvalidToken
    known = dict(_keys(settings.SECRET_KEY, tuple(settings.SECRET_KEY_FALLBACKS)))
    try:
        secret = known.get(str(jwt.get_unverified_header(token).get("kid")), b"")
        if not secret:
            raise InvalidToken
        said: Mapping[str, object] = jwt.decode(
            token,
            secret,
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            issuer=ISSUER,
            options={"require": REQUIRED},
        )
        return msgspec.convert(said, Claims)
    except (jwt.PyJWTError, msgspec.ValidationError, ValueError) as error:
        raise InvalidToken from error


@lru_cache(maxsize=8)
def _keys(current: str, fallbacks: tuple[str, ...]) -> tuple[tuple[str, bytes], ...]:
    derived = [derived_key(secret.encode(), info=USE) for secret in (current, *fallbacks)]
    return tuple((fingerprint(key), key) for key in derived)
