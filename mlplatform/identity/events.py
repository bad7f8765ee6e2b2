"""Passes on what the sign-in libraries tell: failed codes are failed sign-ins, lock-outs are audited."""

from typing import Any

from allauth.mfa.signals import authentication_failed
from allauth.socialaccount.models import SocialAccount, SocialLogin
from allauth.socialaccount.signals import social_account_added, social_account_removed
from axes.signals import user_locked_out
from django.contrib.auth.signals import user_login_failed
from django.dispatch import receiver
from django.http import HttpRequest

from mlplatform.identity import proofs
from mlplatform.identity.services.single_sign_on import apply_claims
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import User
from mlplatform.tenancy.services.sign_ins import record_failed_sign_in, record_of_account

__all__ = ["proofs"]  # listens as well


@receiver(authentication_failed)
def second_factor_failed(request: HttpRequest, user: User, **kwargs: Any) -> None:
    """Count and record a wrong code like a wrong password."""
    user_login_failed.send(sender=__name__, credentials={"email": user.email}, request=request)


@receiver(social_account_added)
def sign_on_connected(sociallogin: SocialLogin, **kwargs: Any) -> None:
    """Record that a provider's account was connected."""
    user, provider = sociallogin.user, sociallogin.account.provider
    record_of_account(user=user, action="account.sign_on_connected", by=Actor.of(user), provider=provider)


@receiver(social_account_removed)
def sign_on_disconnected(socialaccount: SocialAccount, **kwargs: Any) -> None:
    """Record that it was disconnected, and take back the memberships that it gave."""
    user, provider = socialaccount.user, socialaccount.provider
    record_of_account(user=user, action="account.sign_on_disconnected", by=Actor.of(user), provider=provider)
    apply_claims(user=user, provider=provider, claims={})


@receiver(user_locked_out)
def locked_out(request: HttpRequest, **kwargs: Any) -> None:
    """Record the failure that locked the account; further attempts are recorded as failed sign-ins."""
    counted: int | None = request.axes_failures_since_start  # type: ignore[attr-defined]  # set by axes
    credentials: dict[str, Any] = request.axes_credentials or {}  # type: ignore[attr-defined]
    if counted is not None:
        email = str(credentials.get("email") or "")
        record_failed_sign_in(email=email, action="session.locked_out")
