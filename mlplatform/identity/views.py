"""The person's own page about signing in, and what it leads to."""

import logging
from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any, cast

import requests
from allauth.account.utils import get_next_redirect_url
from allauth.account.views import BaseReauthenticateView
from allauth.mfa.base.views import AuthenticateView
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django import forms
from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from mlplatform.admin.site import console
from mlplatform.identity.refusal import BROKEN_OFF, refused
from mlplatform.identity.services.second_factors import factors_of, record_change
from mlplatform.identity.services.sessions import end_sessions
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import User
from mlplatform.tenancy.selection import demanding_tenant

logger = logging.getLogger(__name__)
View = Callable[..., HttpResponse]


def changes_second_factors(view: View) -> View:
    """Record, in one transaction with it, what the view changed; a new factor ends the other sessions.

    They were opened without it.
    """

    @wraps(view)
    @transaction.atomic
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        user = cast(User, request.user)  # the view asks for a fresh proof first
        before = factors_of(user)
        response = view(request, *args, **kwargs)
        if record_change(user=user, before=before, by=Actor.of(user)) and _gained(before, factors_of(user)):
            _end_others(request, user)
        return response

    return inner


def _end_others(request: HttpRequest, user: User) -> None:
    end_sessions(user=user, by=Actor.of(user))
    update_session_auth_hash(request, user)


def _gained(before: dict[str, Any], after: dict[str, Any]) -> bool:
    return any(after[name] and not before[name] for name in ("authenticator_app", "passkeys"))


def security_page(request: HttpRequest) -> HttpResponse:
    """Show how the person signs in, with what can be set up, changed and taken away."""
    factors = Authenticator.objects.filter(user=request.user).order_by("pk")
    context = {
        "app": factors.filter(type=Authenticator.Type.TOTP).first(),
        "passkeys": factors.filter(type=Authenticator.Type.WEBAUTHN),
        "codes": factors.filter(type=Authenticator.Type.RECOVERY_CODES).first(),
        "sign_ons": SocialAccount.objects.filter(user=request.user),
        "demanded_by": demanding_tenant(request),
    }
    return TemplateResponse(request, "identity/security.html", context)


@require_POST
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    """End the person's other sessions."""
    user = cast(User, request.user)  # the page asks for a sign-in first
    _end_others(request, user)
    messages.success(request, "You are signed out everywhere else.")
    return redirect("mfa_index")


class ConfirmBySignOn(BaseReauthenticateView):
    """Offers the providers by which the person can confirm who they are; the proof comes back by redirect."""

    form_class = forms.Form
    template_name = "identity/confirm_by_sign_on.html"
    http_method_names = ["get", "head"]

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add where to go on."""
        return {**super().get_context_data(**kwargs), "next": get_next_redirect_url(self.request) or ""}


confirm_by_sign_on = login_required(ConfirmBySignOn.as_view())


def reached(view: View) -> View:
    """Answer a provider that is out of reach, or that lacks an endpoint, by a page."""

    @wraps(view)
    def inner(request: HttpRequest, provider_id: str) -> HttpResponse:
        try:
            return view(request, provider_id)
        except (requests.RequestException, KeyError) as error:
            logger.warning("single sign-on: provider %s: %r", provider_id, error)
            return refused(request, BROKEN_OFF)

    return inner


def leave_for(view: View) -> View:
    """Leave for a provider's site by a page that leads there, once the person has asked for it.

    The content policy stops a form that is answered by a redirect to another site.
    """

    @wraps(view)
    def inner(request: HttpRequest, provider_id: str) -> HttpResponse:
        if request.method != "POST":
            return redirect("account_login")
        response = reached(view)(request, provider_id)
        if response.status_code != HTTPStatus.FOUND:
            return response
        context = {**console.each_context(request), "target": response["Location"]}
        return TemplateResponse(request, "identity/leaving.html", context)

    return inner


class SecondStepView(AuthenticateView):
    """The second step of a sign-in; a passkey is offered to whoever has one."""

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add whether there is a passkey."""
        owner = self.stage.login.user
        has_passkey = Authenticator.objects.filter(user=owner, type=Authenticator.Type.WEBAUTHN).exists()
        return {**super().get_context_data(**kwargs), "has_passkey": has_passkey}
