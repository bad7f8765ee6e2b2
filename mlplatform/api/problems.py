"""One handler turns every error of the API into an RFC 9457 problem document."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

from django.core.exceptions import DisallowedHost, PermissionDenied, RequestDataTooBig
from django.core.exceptions import ValidationError as DjangoValidationError
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.csrf import csrf_failure as csrf_failure_page
from django.views.defaults import bad_request as bad_request_page
from django.views.defaults import page_not_found
from django.views.defaults import server_error as server_error_page
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from mlplatform.addresses import is_for_programs, speaks_open_inference
from mlplatform.errors import PlatformError, TooMany
from mlplatform.tenancy.request_context import current_request, note

PROBLEM_TYPE = "application/problem+json"
DATABASE_BUSY = "The database is busy. Send the request again in a moment."
BUSY_SECONDS = 2
WENT_WRONG = "Something went wrong. Tell your operator the request id."
FIELDS_TOLD = 10  # in an error that is one text
TITLES = {
    400: "Bad request",
    401: "Not signed in",
    403: "Not allowed",
    404: "Not found",
    405: "Method not allowed",
    406: "Not acceptable",
    409: "Conflict",
    411: "Length required",
    413: "Too large",
    415: "Unsupported media type",
    422: "Invalid input",
    429: "Too many requests",
    500: "Internal error",
    503: "Unavailable",
}


DJANGO_ERRORS: list[tuple[type[Exception], int, str, str]] = [
    (Http404, 404, "not_found", "There is no such object."),
    (PermissionDenied, 403, "not_allowed", "You may not do this."),
    (RequestDataTooBig, 413, "too_large", "The request body is too large. Send fewer rows in a request."),
]


def problem(
    status: int, code: str, detail: str, *, title: str | None = None, fields: Any = None
) -> dict[str, Any]:
    """Return the body of a problem document; ``fields`` tells which inputs are wrong, and why."""
    note(code=code)
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": title or TITLES.get(status, "Error"),
        "status": status,
        "code": code,
        "detail": detail,
        "request_id": current_request().request_id,
    }
    if fields:
        body["errors"] = fields
    return body


def problem_response(error: Exception, context: Mapping[str, Any]) -> Response | None:
    """Answer an exception raised in a view; None lets an unexpected one go on to Django's handler."""
    described = _describe(error)
    if described is None:
        return None
    if isinstance(error, exceptions.UnsupportedMediaType) and "view" in context:
        taken = " or ".join(parser.media_type for parser in context["view"].parser_classes)
        described["detail"] = f"This address does not read that kind of body. Send {taken}."
    set_rollback()
    headers: dict[str, str] = {}
    wait = getattr(error, "wait", None)  # of TooMany
    if wait is not None:
        headers["Retry-After"] = str(max(1, round(wait)))
    elif described["status"] == 503:
        headers["Retry-After"] = str(BUSY_SECONDS)
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    path = context["request"].path if "request" in context else ""
    body, content_type = _shaped(path, described)
    return Response(body, status=described["status"], headers=headers, content_type=content_type)


def _describe(error: Exception) -> dict[str, Any] | None:
    if isinstance(error, PlatformError):
        return problem(error.status, error.code, error.detail, title=error.title, fields=error.fields)
    if isinstance(error, exceptions.ValidationError | DjangoValidationError):
        return problem(400, "invalid_request", "Some fields are wrong; see errors.", fields=_fields(error))
    if isinstance(error, exceptions.APIException):
        code = error.get_codes()
        return problem(error.status_code, code if isinstance(code, str) else "error", str(error.detail))
    for kind, status, code, detail in DJANGO_ERRORS:
        if isinstance(error, kind):
            return problem(status, code, detail)
    if is_database_busy(error):
        return problem(503, "database_busy", DATABASE_BUSY)
    return None


def is_database_busy(error: BaseException | None) -> bool:
    """Tell whether the database could not serve now, though nothing is wrong with what it was asked.

    It is locked, has no connection left, takes none, or has lost one. On SQLite a missing table is an
    OperationalError, too, but no matter of time.
    """
    if isinstance(error, InterfaceError):
        return True
    return isinstance(error, OperationalError) and "no such" not in str(error)


def _fields(error: exceptions.ValidationError | DjangoValidationError) -> Any:
    if isinstance(error, exceptions.ValidationError):
        return error.detail
    return error.message_dict if hasattr(error, "error_dict") else {"non_field_errors": error.messages}


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer an unknown address: a problem document for programs, a page elsewhere."""
    if is_for_programs(request.path):
        return _document(request, 404, "not_found", "There is nothing at this address. See /api/v1/schema/.")
    return page_not_found(request, exception)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Answer what Django itself refuses, an unknown host for one: a problem document for programs."""
    if not is_for_programs(request.path):
        return bad_request_page(request, exception)
    if isinstance(exception, DisallowedHost):
        return _document(
            request, 400, "unknown_host", "This server has no such name. Its operator sets ML_ALLOWED_HOSTS."
        )
    if isinstance(exception, RequestDataTooBig):
        return _document(
            request, 413, "too_large", "The request body is too large. Send fewer rows in a request."
        )
    return _document(
        request, 400, "bad_request", "The request cannot be read. Check its headers and its form."
    )


def length_required(request: HttpRequest) -> HttpResponse:
    """Answer a body that comes in chunks: the server's interface (WSGI) would silently take it for empty."""
    detail = "Send the body with a Content-Length, not in chunks (Transfer-Encoding)."
    return _document(request, 411, "length_required", detail)


def too_many_requests(request: HttpRequest, error: TooMany) -> HttpResponse:
    """Answer a request over a limit, with Retry-After: a problem document for programs, a page elsewhere."""
    if is_for_programs(request.path):
        response: HttpResponse = _document(request, error.status, error.code, error.detail, title=error.title)
    else:
        response = render(request, "429.html", {"detail": error.detail}, status=error.status)
    response["Retry-After"] = str(error.wait)
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer a bug: a problem document for programs (the traceback is in the log), a page elsewhere.

    A database that is busy or away is none, wherever it was found out: 503 with Retry-After.
    """
    if is_database_busy(sys.exception()):
        return _unavailable(request)
    if is_for_programs(request.path):
        return _document(request, 500, "internal_error", WENT_WRONG)
    return server_error_page(request)


def _unavailable(request: HttpRequest) -> HttpResponse:
    if is_for_programs(request.path):
        response: HttpResponse = _document(request, 503, "database_busy", DATABASE_BUSY)
    else:
        response = render(request, "503.html", {"detail": DATABASE_BUSY}, status=503)
    response["Retry-After"] = str(BUSY_SECONDS)
    return response


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Answer a form or call without its CSRF token."""
    if is_for_programs(request.path):
        return _document(request, 403, "csrf_failed", f"{reason} Programs sign in with an API key instead.")
    return csrf_failure_page(request, reason)


def _document(
    request: HttpRequest, status: int, code: str, detail: str, title: str | None = None
) -> JsonResponse:
    body, content_type = _shaped(request.path, problem(status, code, detail, title=title))
    return JsonResponse(body, status=status, content_type=content_type)


def _shaped(path: str, described: dict[str, Any]) -> tuple[dict[str, Any], str]:
    """Return the error as whoever calls the address reads it, and its media type."""
    if speaks_open_inference(path):
        return {"error": in_one_text(described)}, "application/json"
    return described, PROBLEM_TYPE


def in_one_text(described: Mapping[str, Any]) -> str:
    """Return a problem's detail with the first of its wrong inputs, for clients that read one text alone."""
    told = [*_told_fields(described.get("errors") or ())]
    more = f" And {len(told) - FIELDS_TOLD} more." if len(told) > FIELDS_TOLD else ""
    return " ".join([str(described["detail"]), *told[:FIELDS_TOLD]]) + more


def _told_fields(fields: Any) -> Iterator[str]:
    if isinstance(fields, Mapping):
        for name, said in fields.items():
            yield f"{name}: {' '.join(map(str, said)) if isinstance(said, list) else said}"
        return
    # A name that is not known tells most: what is missing is often only spelt wrong.
    for one in sorted(fields, key=lambda one: one.get("code") != "unknown"):
        places = [f"row {one['row']}" if one.get("row") is not None else "", str(one.get("field") or "")]
        place = ", ".join(part for part in places if part)
        yield f"{place}: {one.get('message', '')}" if place else str(one.get("message", ""))
