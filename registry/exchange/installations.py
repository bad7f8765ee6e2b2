"""Who wrote a model's archive: each installation signs with a key of its own, which others can check.

The key pair (Ed25519, RFC 8032) follows from the secret that signs artefacts, so there is none to keep
beside it. The public half is what operators tell one another; an archive's own word is never taken for it.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

LABEL = b"mlplatform.model-archive.v1"
PUBLIC_BYTES = 32


def _private_key(secret: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hmac.digest(secret.encode(), LABEL, "sha256"))


def public_key(secret: str) -> str:
    """Return the public key (base64 of 32 bytes) under which this secret's signatures can be checked."""
    return base64.b64encode(_private_key(secret).public_key().public_bytes_raw()).decode()


def sign(message: bytes, secret: str) -> str:
    """Return the signature of the message (base64)."""
    return base64.b64encode(_private_key(secret).sign(message)).decode()


def signer(message: bytes, signature: str, trusted: Mapping[str, str]) -> str | None:
    """Return the name of the trusted installation whose signature it is, None where it is nobody's.

    ``trusted`` maps public keys to names.
    """
    try:
        given = base64.b64decode(signature, validate=True)
    except (binascii.Error, ValueError):
        return None
    for key, name in trusted.items():
        try:
            Ed25519PublicKey.from_public_bytes(base64.b64decode(key)).verify(given, message)
        except InvalidSignature:
            continue
        return name
    return None


def parse_trusted(items: list[str]) -> dict[str, str]:
    """Return names by public key, from texts such as ``north=BASE64``; raises ValueError."""
    found: dict[str, str] = {}
    for item in items:
        name, _, key = item.partition("=")
        try:
            raw = base64.b64decode(key.strip(), validate=True)
        except binascii.Error:
            raw = b""
        if not name.strip() or len(raw) != PUBLIC_BYTES:
            raise ValueError(
                f"{item[:80]!r} is no trusted installation. Write NAME=KEY, with the key that "
                "'manage.py transfer_key' prints there."
            )
        found[key.strip()] = name.strip()
    return found
