"""Reading request bodies strictly."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser, MultiPartParser
from rest_framework.request import Request

GZIP_MAGIC = b"\x1f\x8b"
FORM_BYTES = 100_000  # what a form may add to its file


class BodyTooLarge(APIException):
    """The body is over the limit."""

    status_code = 413
    default_code = "too_large"


class FileParser(MultiPartParser):
    """Multipart forms; a body that announces more than the limit is refused before it is read."""

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the form and its files; raises BodyTooLarge."""
        announced = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
        # No more than the announced length is ever read, so announcing less gains nothing.
        if announced > settings.MAX_UPLOAD_BYTES + FORM_BYTES:
            raise BodyTooLarge(f"The file has more than {settings.MAX_UPLOAD_BYTES:,} bytes.")
        return super().parse(stream, media_type, parser_context)


class StrictJSONParser(BaseParser):
    """JSON as the standard has it: no NaN, no duplicate names, no bottomless nesting, no endless body."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded body; raises ParseError or BodyTooLarge."""
        return strict_json(limited_body(stream, parser_context))


class BytesParser(BaseParser):
    """A body as it is, whatever it is called, for a view that decodes it by itself."""

    media_type = "*/*"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the body; raises BodyTooLarge."""
        return limited_body(stream, parser_context)


def raw_body(request: Request) -> bytes:
    """Return what ``BytesParser`` read; a request without a body has none to parse."""
    body: Any = request.data
    return body if isinstance(body, bytes) else b""


def limited_body(stream: IO[Any], parser_context: Mapping[str, Any] | None) -> bytes:
    """Return the whole body; what is or announces too much is refused before it is read: BodyTooLarge."""
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    announced = int((parser_context or {})["request"].META.get("CONTENT_LENGTH") or 0)
    body: bytes = b"" if announced > limit else stream.read(limit + 1)
    if max(announced, len(body)) > limit:
        raise BodyTooLarge(f"The body is larger than {limit:,} bytes. Send fewer rows in a request.")
    return body


def strict_json(body: bytes) -> Any:
    """Return what the body says; raises ParseError where that is not JSON as the standard has it."""
    text = _decoded(body)
    try:
        parsed = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_names)
        if "\\u" in text:  # an escape may write half a character, which nothing can store
            json.dumps(parsed, ensure_ascii=False).encode()
    except RecursionError as error:
        raise ParseError("The JSON is nested too deeply.") from error
    except UnicodeEncodeError as error:
        raise ParseError("The body holds half of a surrogate pair, which is no character.") from error
    except ValueError as error:
        raise ParseError(f"The body is not valid JSON: {_reason(error)}") from error
    return parsed


def _decoded(body: bytes) -> str:
    if body.startswith(GZIP_MAGIC):
        raise ParseError("The body is compressed. Send plain JSON, without Content-Encoding.")
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ParseError(
            f"The body is not UTF-8 text: byte {error.start} is wrong. Encode it again."
        ) from error


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; send null for a missing value")


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError) or "limit" not in str(error):
        return str(error)
    return "a whole number has thousands of digits"  # Python's own sentence speaks of its settings


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body: dict[str, Any] = {}
    for name, value in pairs:
        if name in body:
            raise ValueError(f"the name {name[:100]!r} stands twice in one object")
        body[name] = value
    return body
