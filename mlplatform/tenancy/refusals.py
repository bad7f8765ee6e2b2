"""Which requests were denied, for the audit trail.

A foreign object and a missing one are recorded alike: the trail is no oracle either, and takes the same time.
"""

from django.http import HttpRequest, HttpResponse

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import ApiKey, User
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import Subject

ACTION = "access.denied"
CATCH_ALL = frozenset({"url"})  # what the console's address of last resort captures


def mark_refused(request: HttpRequest) -> None:
    """Note that the request asked for what it may not have, although the answer is a polite redirect."""
    request.was_refused = True  # type: ignore[attr-defined]  # read by was_refused


def was_refused(request: HttpRequest, response: HttpResponse) -> bool:
    """Tell whether the request was denied: not allowed, or for an object that is not this tenant's."""
    match = request.resolver_match
    if match is None:
        return False
    if response.status_code == 403 or getattr(request, "was_refused", False):
        return True
    return response.status_code == 404 and bool(set(match.kwargs) - CATCH_ALL)


def record_refusal(request: HttpRequest, response: HttpResponse) -> None:
    """Append the denied request to the active tenant's trail, where somebody known sent it."""
    principal: ApiKey | object = getattr(request, "api_key", None) or request.user
    if request.resolver_match is None or not isinstance(principal, ApiKey | User):
        return
    record_attempt(
        by=Actor.of(principal),
        action=ACTION,
        target=Subject("route", request.resolver_match.view_name, f"{request.method} {request.path}"),
        details={"status": response.status_code},
    )
