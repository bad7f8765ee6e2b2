"""Signatures of webhooks as https://www.standardwebhooks.com has them, so that ready libraries check them.

The signature is HMAC-SHA256 over ``id.timestamp.body`` in base64, in ``webhook-signature`` as ``v1,...``.
"""

import base64
import binascii
import hashlib
import hmac

TOLERANCE = 300  # seconds that a message may be old
PREFIX = "whsec_"


def sign(secret: str, key: str, timestamp: int, body: bytes) -> str:
    """Return the value of ``webhook-signature``."""
    told = f"{key}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.new(_bytes_of(secret), told, hashlib.sha256).digest()).decode()


def verify(secret: str, headers: dict[str, str], body: bytes, *, now: float) -> bool:
    """Tell whether the message is ours, unchanged and fresh; what a receiver does, in a few lines."""
    key, stamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not stamp.isdigit() or abs(now - int(stamp)) > TOLERANCE:
        return False
    expected = sign(secret, key, int(stamp), body)
    given = headers.get("webhook-signature", "").split(" ")
    return any(hmac.compare_digest(expected.encode(), one.encode()) for one in given)


def _bytes_of(secret: str) -> bytes:
    if secret.startswith(PREFIX):
        try:
            return base64.b64decode(secret.removeprefix(PREFIX), validate=True)
        except binascii.Error:
            return secret.encode()
    return secret.encode()
