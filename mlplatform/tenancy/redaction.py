"""What may stand in the audit trail: plain JSON of bounded size, and never a secret. Decided here alone."""

import re
from collections.abc import Mapping, Sequence, Set
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from typing import Any

LEFT_OUT = "[left out]"
LONGEST_TEXT, MOST_ITEMS, DEEPEST = 2_000, 200, 6
LARGEST_WHOLE = 2**63
# A field of such a name holds a secret, whatever its value looks like.
SECRET_NAME = re.compile(
    r"(?:^|[_\-. ])(?:password|passwd|passphrase|secrets?|tokens?|credentials?|authorization|cookies?|"
    r"private_?key|secret_?hash|api_?key|signing_?key|dsn|otp|recovery_?codes?)(?:$|[_\-. ])",
    re.IGNORECASE,
)
# A secret inside a text: one of our keys or tokens, and the password of an address. Repetitions are
# bounded, so that no text makes the search slow.
OUR_KEY = re.compile(r"(mlp_[A-Za-z0-9]{8})_[A-Za-z0-9_-]{20,}")
OUR_TOKEN = re.compile(r"eyJ[A-Za-z0-9_-]{10,500}\.[A-Za-z0-9_-]{10,8000}\.[A-Za-z0-9_-]{10,500}")
USERINFO = re.compile(r"([a-z][a-z0-9+.\-]{0,20}://[^/\s:@]{0,200}):[^/\s@]{1,500}@", re.IGNORECASE)


def storable(value: Any, name: str = "", depth: int = 0) -> Any:
    """Return ``value`` as JSON that every database stores and gives back unchanged, secrets left out.

    Whole floats become integers, what JSON cannot say becomes text, and long texts and lists are cut.
    """
    if value is not None and name and SECRET_NAME.search(name[:200]):
        return LEFT_OUT
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return _number(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Mapping | Sequence | Set) and not isinstance(value, str | bytes):
        return _container(value, depth)
    return clean_text(str(value), LONGEST_TEXT)


def clean_text(text: str, longest: int) -> str:
    """Return the text without secrets and without what a database or a log line cannot hold, cut to size."""
    text = text[: 4 * longest].encode("utf-8", "replace").decode()
    text = USERINFO.sub(rf"\1:{LEFT_OUT}@", OUR_KEY.sub(rf"\1_{LEFT_OUT}", OUR_TOKEN.sub(LEFT_OUT, text)))
    text = "".join(sign if sign >= " " or sign in "\n\t" else " " for sign in text)
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _number(value: Any) -> Any:
    if not isfinite(value):
        return str(value)
    if isinstance(value, float) and not value.is_integer():
        return value
    # By way of its shortest decimal spelling, which is what a database keeps of a float such as 1e+23.
    whole = value if isinstance(value, int) else int(Decimal(repr(value)))
    return int(whole) if abs(whole) < LARGEST_WHOLE else str(whole)


def _container(value: Any, depth: int) -> Any:
    if depth >= DEEPEST:
        return LEFT_OUT
    if isinstance(value, Mapping):
        pairs = list(value.items())[:MOST_ITEMS]
        return {clean_text(str(key), 200): storable(item, str(key), depth + 1) for key, item in pairs}
    items = sorted(value, key=str) if isinstance(value, Set) else list(value[:MOST_ITEMS])
    return [storable(item, "", depth + 1) for item in items[:MOST_ITEMS]]
