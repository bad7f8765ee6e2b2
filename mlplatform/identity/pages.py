"""How the pages of the sign-in library stand in the console: its frame, its forms' dress, its rules."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache

from mlplatform.admin.forms import dress
from mlplatform.admin.site import console
from mlplatform.identity.proofs import demand_recent_proof

View = Callable[..., HttpResponse]


def framed(view: View) -> View:
    """Show the view's page in the console's frame, its forms in the console's dress."""

    @wraps(view)
    @never_cache
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        response = view(request, *args, **kwargs)
        if isinstance(response, TemplateResponse) and not response.is_rendered:
            context = response.context_data or {}
            context.pop("object", None)  # the theme takes it for a row with a page of its own
            for form in context.values():
                if isinstance(form, forms.BaseForm):
                    dress(form)
            response.context_data = {**console.each_context(request), "title": "Security", **context}
        return response

    return inner


def freshly_proved(view: View) -> View:
    """Ask a person who signed in too long ago to confirm who they are; then the request goes on."""

    @wraps(view)
    @login_required
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        demand_recent_proof(request)
        return view(request, *args, **kwargs)

    return inner
