"""Short secrets, sealed as texts that fit into a column: ``s1.<key>.<nonce, content and tag in base64>``."""

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from mlplatform.sealing.errors import NotSealed, SealBroken

VERSION = "s1"
NONCE_BYTES = 12


def seal_text(text: str, *, key: bytes, key_id: str, context: str) -> str:
    """Return the text encrypted; ``context`` must be given again to open it."""
    nonce = secrets.token_bytes(NONCE_BYTES)
    sealed = AESGCM(key).encrypt(nonce, text.encode(), _bound(key_id, context))
    return f"{VERSION}.{key_id}.{urlsafe_b64encode(nonce + sealed).decode()}"


def open_text(sealed: str, *, key_of: Callable[[str], bytes], context: str) -> str:
    """Return the text; ``key_of`` finds the key by its name.

    Raises NotSealed for what ``seal_text`` never made, SealBroken for what was changed or belongs elsewhere.
    """
    key_id = key_id_of(sealed)
    try:
        content = urlsafe_b64decode(sealed.rpartition(".")[2])
        plain = AESGCM(key_of(key_id)).decrypt(
            content[:NONCE_BYTES], content[NONCE_BYTES:], _bound(key_id, context)
        )
    except (InvalidTag, ValueError) as error:
        raise SealBroken("A stored secret was changed, or belongs elsewhere. Enter it again.") from error
    return plain.decode()


def key_id_of(sealed: str) -> str:
    """Return the name of the key that the text was sealed with; raises NotSealed."""
    version, _, rest = sealed.partition(".")
    key_id, dot, _ = rest.partition(".")
    if version != VERSION or not dot:
        raise NotSealed("A stored secret stands in the clear. Enter it again.")
    return key_id


def _bound(key_id: str, context: str) -> bytes:
    return f"{VERSION}|{key_id}|{context}".encode()
