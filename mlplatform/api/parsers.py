"""Reading request bodies strictly."""

import json
from collections.abc import Mapping
from typing import IO, Any, NoReturn

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser


class BodyTooLarge(APIException):
    """The body is over the limit."""

    status_code = 413
    default_code = "too_large"


class StrictJSONParser(BaseParser):
    """JSON as the standard has it: no NaN, no duplicate names, no bottomless nesting, no endless body."""

    media_type = "application/json"

    def parse(
        self, stream: IO[Any], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> Any:
        """Return the decoded body; raises ParseError or BodyTooLarge."""
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise BodyTooLarge(f"The body is larger than {limit:,} bytes. Send fewer rows in a request.")
        try:
            text = body.decode("utf-8-sig")
            parsed = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_unique_names)
            if "\\u" in text:  # an escape may write half a character, which nothing can store
                json.dumps(parsed, ensure_ascii=False).encode()
        except RecursionError as error:
            raise ParseError("The JSON is nested too deeply.") from error
        except UnicodeEncodeError as error:
            raise ParseError("The body holds half of a surrogate pair, which is no character.") from error
        except ValueError as error:
            raise ParseError(f"The body is not valid JSON: {error}") from error
        return parsed


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON; send null for a missing value")


def _unique_names(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    body = dict(pairs)
    if len(body) != len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"the name {twice[:100]!r} stands twice in one object")
    return body
