"""Which requests were denied, for the audit trail.

A foreign object and a missing one are recorded alike: the trail is no oracle either, and takes the same time.
"""

from django.http import HttpRequest, HttpResponse

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.limits import kind_of
from mlplatform.tenancy.models import ApiKey, User
from mlplatform.tenancy.request_context import current_request
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import Subject

ACTION = "access.denied"
CATCH_ALL = frozenset({"url"})  # what the console's address of last resort captures


def mark_refused(request: HttpRequest) -> None:
    """Note that the request asked for what it may not have, although the answer is a polite redirect."""
    request.was_refused = True  # type: ignore[attr-defined]  # read by was_refused


def was_refused(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell whether the request was denied: not allowed, or for an object that is not this tenant's.

    The object may be named in the address or in the body. An address that does not exist names none.
    """
    match = request.resolver_match
    if match is None:
        return False
    if response.status_code == 403 or getattr(request, "was_refused", False):
        return True
    return response.status_code == 404 and set(match.kwargs) != CATCH_ALL


def record_refusal(request: HttpRequest, response: HttpResponse) -> None:
    """Append the denied request to the active tenant's trail, where somebody known sent it."""
    by = _sender(request)
    if request.resolver_match is None or by is None:
        return
    record_attempt(
        by=by,
        action=ACTION,
        target=Subject("route", request.resolver_match.view_name, f"{request.method} {request.path}"),
        details={"status": response.status_code},
    )


def record_limits(request: HttpRequest) -> None:
    """Append the limits that refused something in this request to the active tenant's trail."""
    by = _sender(request)
    if by is None:
        return
    for name in current_request().limits_reached:
        record_attempt(by=by, action="limit.reached", target=Subject("limit", name, kind_of(name).title))


def _sender(request: HttpRequest) -> Actor | None:
    principal: ApiKey | object = getattr(request, "api_key", None) or request.user
    return Actor.of(principal) if isinstance(principal, ApiKey | User) else None
