"""Keys: random ones, and ones that follow from a secret."""

import hashlib
import secrets

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES = 32


def new_key() -> bytes:
    """Return a random key of 32 bytes."""
    return secrets.token_bytes(KEY_BYTES)


def derived_key(secret: bytes, *, info: bytes, salt: bytes | None = None) -> bytes:
    """Return the key of 32 bytes that follows from a secret of high entropy for one use (HKDF-SHA256)."""
    return HKDF(SHA256(), KEY_BYTES, salt, info).derive(secret)


def fingerprint(key: bytes) -> str:
    """Return eight characters that name a key and tell nothing of it."""
    return hashlib.sha256(b"mlplatform key fingerprint" + key).hexdigest()[:8]
