"""Pseudonyms: one stable name for each value, which tells nothing of it without the tenant's key."""

import hmac
import re
import unicodedata
from base64 import b32encode
from typing import Any

from registry.tabular.labels import label_text

PREFIX = "psn_"
DIGEST_BYTES = 16  # of HMAC-SHA-256: two of 10^15 values share a pseudonym with a chance below 10^-8
FORM = re.compile(r"psn_[a-z2-7]{26}")


def pseudonym(value: object, key: bytes) -> str:
    """Return the value's pseudonym under the key, the same for 1, 1.0 and "1" and for composed letters.

    A pseudonym stays as it is, so that what was treated can be treated again.
    """
    text = unicodedata.normalize("NFC", label_text(value))
    if is_pseudonym(text):
        return text
    digest = hmac.digest(key, text.encode("utf-8", "replace"), "sha256")[:DIGEST_BYTES]
    return PREFIX + b32encode(digest).decode().rstrip("=").lower()


def is_pseudonym(value: Any) -> bool:
    """Tell whether the value has the form of a pseudonym."""
    return isinstance(value, str) and FORM.fullmatch(value) is not None
