"""The page that says why somebody may not come in."""

from django.http import HttpRequest
from django.template.response import TemplateResponse

from mlplatform.admin.site import console

NOT_KNOWN = (
    "Your provider says who you are, but nothing here is open to you yet. Ask your administrator for access. "
    "If you have an account here already, sign in to it and connect the provider on its security page."
)
BROKEN_OFF = "Your provider did not answer as it should. Try again; if it goes on, tell your administrator."


def refused(request: HttpRequest, why: str) -> TemplateResponse:
    """Return the page with a sentence that says why, and what to do."""
    context = {**console.each_context(request), "why": why}
    return TemplateResponse(request, "identity/refused.html", context, status=403)
