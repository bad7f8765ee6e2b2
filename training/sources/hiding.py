"""Keeping a source's credential out of everything that is shown or kept."""

import json
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

from mlplatform.errors import PlatformError
from mlplatform.tenancy.redaction import LEFT_OUT

SHORTEST = 6  # characters; what is shorter stands in other words by chance


def hide_secret(error: PlatformError, secret: str) -> None:
    """Take the credential out of the error's sentence and fields, however it is spelt there."""
    error.detail = without_secret(error.detail, secret)
    error.args = (error.detail, *error.args[1:])
    error.fields = _cleaned(error.fields, secret)


def without_secret(text: str, secret: str) -> str:
    """Return the text without the credential; one of few letters is left, for it is no secret."""
    for spelling in _spellings(secret):
        text = text.replace(spelling, LEFT_OUT)
    return text


def left_out_of_json(body: bytes, secrets: Iterable[str]) -> bytes:
    """Return the JSON without the credentials: services repeat the address that they were asked at."""
    for secret in secrets:
        for spelling in _spellings(secret):
            if _is_of_texts(spelling):
                body = body.replace(spelling.encode(), LEFT_OUT.encode())
    return body


def _is_of_texts(spelling: str) -> bool:
    """Tell whether it can stand inside a text of JSON alone, not across two, nor in a number."""
    return '"' not in spelling and any(sign.isalpha() and sign not in "eE" for sign in spelling)


def _spellings(secret: str) -> list[str]:
    if len(secret) < SHORTEST:
        return []
    in_json = json.dumps(secret)[1:-1]
    found = {secret, quote(secret), quote(secret, safe=""), quote_plus(secret)}
    found |= {in_json, in_json.replace("/", "\\/")}
    return sorted(found, key=len, reverse=True)


def _cleaned(value: Any, secret: str) -> Any:
    if isinstance(value, str):
        return without_secret(value, secret)
    if isinstance(value, dict):
        return {name: _cleaned(one, secret) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(one, secret) for one in value]
    return value
