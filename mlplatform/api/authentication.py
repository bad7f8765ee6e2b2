"""Tells DRF who asks; the middleware has found out already, before the tenant's scope opened."""

from typing import Any

from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from mlplatform.tenancy.models import ApiKey, User


def asking(request: Request) -> User | ApiKey | None:
    """Return the principal of the request, or None where nobody signed in."""
    principal: Any = request.user
    return principal if isinstance(principal, User | ApiKey) else None


class PlatformAuthentication(SessionAuthentication):
    """API key first, then the console's session (with its CSRF check)."""

    def authenticate(self, request: Request) -> tuple[User | ApiKey, ApiKey | None] | None:
        """Return the principal; a bad key is refused even where a session would do."""
        if request._request.api_key_error is not None:  # type: ignore[attr-defined]  # set by the middleware
            raise AuthenticationFailed("The API key is not valid. Check it, or ask your admin for a new one.")
        key = request._request.api_key  # type: ignore[attr-defined]
        if key is not None:
            return key, key
        found = super().authenticate(request)
        return (found[0], None) if found else None

    def authenticate_header(self, request: Request) -> str:
        """Name the scheme, so that a missing sign-in answers 401."""
        return 'Bearer realm="api"'
