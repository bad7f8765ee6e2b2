"""Answers of the short way, whole as the server sends them: body, headers and status."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from io import BytesIO
from typing import Any

import msgspec
from django.conf import settings
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.security import SecurityMiddleware

from mlplatform.api.problems import PROBLEM_TYPE, WENT_WRONG, problem
from mlplatform.headers import AnswerHeadersMiddleware

Header = tuple[str, str]


@dataclass(frozen=True)
class Whole:
    """An answer: its body, all its headers, and its status with the reason."""

    body: bytes
    headers: list[Header]
    status: str = "200 OK"


def whole(request: HttpRequest, body: bytes, request_id: str, standings: Sequence[Header] = ()) -> Whole:
    """Return the body with the headers that the long way would give it."""
    headers = [
        *_fixed_headers(request.is_secure()),
        *standings,
        ("Content-Length", str(len(body))),
        ("X-Request-ID", request_id),
    ]
    return Whole(body, headers)


def wrong(request: HttpRequest, request_id: str) -> Whole:
    """Return the answer to a bug, as the rest of the API has it; call it in the request's context."""
    told = whole(request, msgspec.json.encode(problem(500, "internal_error", WENT_WRONG)), request_id)
    headers = [(name, PROBLEM_TYPE if name == "Content-Type" else value) for name, value in told.headers]
    return Whole(told.body, headers, "500 Internal Server Error")


def _fixed_headers(secure: bool) -> list[tuple[str, str]]:
    return _headers_of(secure, settings.SECURE_HSTS_SECONDS, settings.SECURE_HSTS_INCLUDE_SUBDOMAINS)


@lru_cache(maxsize=8)
def _headers_of(secure: bool, *configured: object) -> list[tuple[str, str]]:
    """Return the headers that are the same for every answer, as the long way's own middleware sets them."""
    scheme = "https" if secure else "http"
    request = WSGIRequest({"REQUEST_METHOD": "POST", "wsgi.url_scheme": scheme, "wsgi.input": BytesIO()})
    answer: Any = HttpResponse(
        content_type="application/json", headers={"Allow": "POST, OPTIONS", "Vary": "origin"}
    )
    for middleware in (SecurityMiddleware, XFrameOptionsMiddleware, AnswerHeadersMiddleware):
        answer = middleware(lambda _: answer).process_response(request, answer)  # noqa: B023
    return list(answer.items())
