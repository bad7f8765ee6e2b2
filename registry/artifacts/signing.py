"""Signs artefacts: a SHA-256 that names the content, and an HMAC-SHA256 that says who wrote it.

A pickle runs code when it is read, so both are checked before a byte is parsed.
"""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from registry.errors import ArtifactCorrupt

LABEL = b"mlplatform.artifact.v1"


@dataclass(frozen=True)
class Seal:
    """Hexadecimal SHA-256 of the bytes, and their signature."""

    sha256: str
    signature: str


def seal(data: bytes, *, key: str, owner: str) -> Seal:
    """Return the seal of ``data``; ``owner`` is bound into it, so an artefact cannot change hands."""
    return Seal(hashlib.sha256(data).hexdigest(), _signature(data, key, owner))


def verify(data: bytes, expected: Seal, *, keys: Sequence[str], owner: str) -> None:
    """Return where the bytes are those that were sealed with one of the keys; raises ArtifactCorrupt."""
    if not hmac.compare_digest(hashlib.sha256(data).hexdigest(), expected.sha256):
        raise ArtifactCorrupt(
            "The artefact's content has changed since it was stored. Train the version again."
        )
    if not any(hmac.compare_digest(_signature(data, key, owner), expected.signature) for key in keys):
        raise ArtifactCorrupt(
            "The artefact is not signed with this installation's key. Restore the key it was stored under "
            "(ML_ARTIFACT_KEY or ML_ARTIFACT_KEY_FALLBACKS), or train the version again."
        )


def _signature(data: bytes, key: str, owner: str) -> str:
    # A key of its own for this one purpose: a signature made elsewhere with the same secret is worth nothing.
    derived = hmac.digest(key.encode(), LABEL + b"|" + owner.encode(), "sha256")
    return hmac.digest(derived, data, "sha256").hex()
