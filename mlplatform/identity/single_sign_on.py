"""Somebody comes back from a provider: to sign in, to connect it, or to confirm who they are."""

import logging
import time
from typing import Any, NoReturn
from urllib.parse import urlencode

from allauth.account.internal.flows import reauthentication
from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.models import SocialLogin
from allauth.socialaccount.providers.base.constants import AuthError, AuthProcess
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, QueryDict
from django.shortcuts import redirect

from mlplatform.identity.claims import claims_of
from mlplatform.identity.proofs import demand_recent_proof, note_proof
from mlplatform.identity.refusal import BROKEN_OFF, NOT_KNOWN, refused
from mlplatform.identity.services.single_sign_on import (
    Address,
    actor_of,
    apply_claims,
    hand_over,
    linkable_account,
    new_account_problem,
    roles_by_claims,
)
from mlplatform.oidc import TRUSTED_EMAILS
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import User
from mlplatform.tenancy.services.sign_ins import record_of_account

logger = logging.getLogger(__name__)
OTHER_PERSON = "You confirmed as somebody else than the person who is signed in here. Nothing was changed."
NOT_ASKED = "Your provider did not ask again who you are. Sign out and in here, then try again."
LONGEST_NAME = 150


class SignOnAdapter(DefaultSocialAccountAdapter):
    """Applies the rules of single sign-on to whoever a provider vouches for."""

    def pre_social_login(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        """Confirm a session, let a provider be connected, or decide who may sign in; refuses by a page."""
        process = sociallogin.state.get("process")
        if process == AuthProcess.REDIRECT:
            self._confirm(request, sociallogin)
        elif process == AuthProcess.CONNECT:
            demand_recent_proof(request)
        else:
            self._admit(request, sociallogin)

    def is_open_for_signup(self, request: HttpRequest, sociallogin: SocialLogin) -> bool:
        """Tell whether an account is made for a newcomer: ``pre_social_login`` has let them pass."""
        return True

    def authenticate_by_email(self, sociallogin: SocialLogin) -> None:
        """Find no account: ``pre_social_login`` decides whose account an address may open."""

    def populate_user(self, request: HttpRequest, sociallogin: SocialLogin, data: Any) -> User:
        """Return the newcomer's account, not saved yet."""
        user: User = sociallogin.user
        user.email = str(data.get("email") or "").lower()
        user.name = str(data.get("name") or "")[:LONGEST_NAME]
        return user

    def save_user(self, request: HttpRequest, sociallogin: SocialLogin, form: Any = None) -> User:
        """Make the newcomer's account with the memberships that the claims give."""
        provider = sociallogin.account.provider
        with transaction.atomic():
            user: User = super().save_user(request, sociallogin, form)
            apply_claims(user=user, provider=provider, claims=claims_of(sociallogin.account.extra_data))
            record_of_account(user=user, action="account.created", by=actor_of(provider), email=user.email)
        return user

    def on_authentication_error(
        self,
        request: HttpRequest,
        provider: Any,
        error: Any = None,
        exception: Exception | None = None,
        extra_context: Any = None,
    ) -> None:
        """Refuse where the provider did not answer as it should; a cancelled sign-in has its own page."""
        if error != AuthError.CANCELLED:
            logger.warning("single sign-on broke off: %s", exception or error)
            raise ImmediateHttpResponse(refused(request, BROKEN_OFF))

    def _admit(self, request: HttpRequest, sociallogin: SocialLogin) -> None:
        provider, claims = sociallogin.account.provider, claims_of(sociallogin.account.extra_data)
        address = Address(
            email=str(claims.get("email") or ""),
            verified=claims.get("email_verified") is True,
            trusted=sociallogin.provider.app.settings[TRUSTED_EMAILS],
        )
        if not sociallogin.is_existing and (owner := linkable_account(address)):
            with transaction.atomic():
                hand_over(user=owner, provider=provider)
                sociallogin.connect(request, owner)
        if not sociallogin.is_existing:
            roles = roles_by_claims(provider=provider, claims=claims)
            if problem := new_account_problem(address, roles):
                self._refuse(request, f"{provider}: {problem}")
            return
        user: User = sociallogin.user
        if user.is_active:
            apply_claims(user=user, provider=provider, claims=claims)
            if not memberships_of(user) and not user.is_superuser:
                self._refuse(request, f"{provider}: account {user.pk} is a member of no tenant")

    def _refuse(self, request: HttpRequest, why: str) -> NoReturn:
        logger.warning("single sign-on refused: %s", why)
        raise ImmediateHttpResponse(refused(request, NOT_KNOWN))

    def _confirm(self, request: HttpRequest, sociallogin: SocialLogin) -> NoReturn:
        if not sociallogin.is_existing or sociallogin.user != request.user:
            raise ImmediateHttpResponse(refused(request, OTHER_PERSON))
        proved_at = claims_of(sociallogin.account.extra_data).get("auth_time")
        if isinstance(proved_at, int | float) and time.time() - proved_at > settings.REAUTHENTICATION_SECONDS:
            raise ImmediateHttpResponse(refused(request, NOT_ASKED))
        note_proof(request)
        request.FILES  # noqa: B018  # read now: the request that goes on has none, and must not look for any
        following = urlencode({"next": sociallogin.state.get("next") or ""})
        request.GET = QueryDict(following)
        raise ImmediateHttpResponse(reauthentication.resume_request(request) or redirect("admin:index"))
