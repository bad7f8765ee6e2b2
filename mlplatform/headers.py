"""What each answer tells the browser: its content policy, and the headers that Django has no setting for."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from csp.constants import NONE, SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware, PolicyParts
from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

Directives = dict[str, Any]

# The answer shows and runs nothing, and nobody puts it into a frame.
CLOSED_POLICY: Final[Directives] = {
    "default-src": [NONE],
    "base-uri": [NONE],
    "form-action": [NONE],
    "frame-ancestors": [NONE],
}
API_DOCS_POLICY: Final[Directives] = CLOSED_POLICY | {
    "script-src": [SELF],
    "style-src": [SELF, UNSAFE_INLINE],
    "img-src": [SELF, "data:"],
    "font-src": [SELF],
    "connect-src": [SELF],
    "form-action": [SELF],
}
# The theme's script library evaluates the expressions in its own templates, which needs 'unsafe-eval'. A
# script that somebody smuggles into a page still does not run.
CONSOLE_POLICY: Final[Directives] = API_DOCS_POLICY | {"script-src": [SELF, UNSAFE_EVAL]}

FIXED: Final = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class AnswerHeadersMiddleware(CSPMiddleware):
    """Sends the console's policy with pages, the closed one with all else, and lets no cache keep either."""

    def get_policy_parts(
        self, request: HttpRequest, response: HttpResponseBase, report_only: bool = False
    ) -> PolicyParts:
        """Return the policy that the view chose, else the one for this sort of answer."""
        parts: PolicyParts = super().get_policy_parts(request, response, report_only)
        if not report_only and parts.config is None and _is_page(response):
            # Signing in with a provider starts with a form, and browsers judge where its answer leads, too.
            parts.config = CONSOLE_POLICY | {"form-action": [SELF, *_provider_origins()]}
        return parts

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the policy and the other headers; what a view has set stays."""
        answer: HttpResponseBase = super().process_response(request, response)
        for name, value in FIXED.items():
            answer.headers.setdefault(name, value)
        # Files of the theme come with a lifetime of their own; everything else may hold a tenant's data.
        answer.headers.setdefault("Cache-Control", "no-store")
        return answer


def _provider_origins() -> list[str]:
    configured: Mapping[str, Any] = settings.SOCIALACCOUNT_PROVIDERS
    apps = configured.get("openid_connect", {}).get("APPS", [])
    parts = [urlsplit(str(app["settings"]["server_url"])) for app in apps]
    return sorted({f"{part.scheme}://{part.netloc}" for part in parts})


def _is_page(response: HttpResponseBase) -> bool:
    return response.headers.get("Content-Type", "").startswith("text/html")
