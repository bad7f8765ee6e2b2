"""Requests per minute for each key or person."""

from typing import TYPE_CHECKING

from rest_framework.request import Request
from rest_framework.throttling import SimpleRateThrottle

from mlplatform.api.authentication import asking
from mlplatform.tenancy.models import ApiKey

if TYPE_CHECKING:  # DRF loads this class before its own views exist
    from rest_framework.views import APIView


class PrincipalRateThrottle(SimpleRateThrottle):
    """Counts the requests of one principal (``ML_API_RATE``); answers 429 with Retry-After."""

    scope = "principal"

    def get_cache_key(self, request: Request, view: "APIView") -> str | None:
        """Return the principal's own counter; anonymous requests are refused before they count."""
        principal = asking(request)
        if principal is None:
            return None
        kind = "key" if isinstance(principal, ApiKey) else "user"
        return f"throttle:{kind}:{principal.pk}"
