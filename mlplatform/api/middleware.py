"""What is refused before anything else looks at a request."""

from collections.abc import Callable, Sequence

from django.http import HttpRequest, HttpResponse

from mlplatform.addresses import is_for_programs
from mlplatform.api.problems import length_required, too_many_requests
from mlplatform.tenancy.models import ApiKey, User
from mlplatform.tenancy.scope import active_tenant
from mlplatform.tenancy.services.requests import (
    RequestLimitReached,
    Standing,
    refuse_again,
    remember_refusal,
    take_request,
)

GetResponse = Callable[[HttpRequest], HttpResponse]
DRAINED_BYTES = 1_000_000


class KnownLengthMiddleware:
    """Refuses bodies of unknown length (411), so that none is taken for empty and none is endless."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        if "Transfer-Encoding" in request.headers:
            return length_required(request)
        return self.get_response(request)


class RefusedAgainMiddleware:
    """Answers what was refused a moment ago, before anything is looked up: a flood costs next to nothing.

    The body of such a request is read, if it is small, so that a client that is still sending sees the answer
    instead of a broken connection.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        credentials = request.headers.get("Authorization")
        if credentials is not None and is_for_programs(request.path):
            try:
                refuse_again(credentials)
            except RequestLimitReached as error:
                request.tenant = error.tenant  # type: ignore[attr-defined]  # as TenancyMiddleware would
                return _refusal(request, error)
        return self.get_response(request)


class RequestLimitMiddleware:
    """Counts the request of a key or a person, and refuses one over a limit (429) before any work is done.

    It stands inside the tenant's scope, where the key has been checked, and outside its transaction, so that
    no counter stays locked while the request is worked on. Answers of the API tell where the limits stand.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, or pass the request on."""
        principal = request.api_key or request.user  # type: ignore[attr-defined]  # set by TenancyMiddleware
        if active_tenant() is None or not isinstance(principal, ApiKey | User):
            return self.get_response(request)
        try:
            standings = take_request(principal=principal)
        except RequestLimitReached as error:
            if isinstance(principal, ApiKey):
                remember_refusal(request.headers["Authorization"], error.standing)
            return _refusal(request, error)
        response = self.get_response(request)
        if is_for_programs(request.path):
            tell_standings(response, standings)
        return response


def _refusal(request: HttpRequest, error: RequestLimitReached) -> HttpResponse:
    length = request.headers.get("Content-Length", "")
    if length.isdecimal() and int(length) <= DRAINED_BYTES:
        request.read()
    response = too_many_requests(request, error)
    if is_for_programs(request.path):
        tell_standings(response, [error.standing])
    return response


def tell_standings(response: HttpResponse, standings: list[Standing]) -> None:
    """Add the header fields of ``standing_headers``."""
    for name, value in standing_headers(standings):
        response[name] = value


def standing_headers(standings: Sequence[Standing]) -> list[tuple[str, str]]:
    """Return the header fields of draft-ietf-httpapi-ratelimit-headers."""
    policy = ", ".join(f'"{one.name}";q={one.limit};w=60' for one in standings)
    left = ", ".join(f'"{one.name}";r={one.remaining};t={one.reset}' for one in standings)
    return [("RateLimit-Policy", policy), ("RateLimit", left)]
