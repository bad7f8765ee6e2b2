"""Passes Django's news of sign-ins, failed ones and sign-outs on to the audit trail."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import User
from mlplatform.tenancy.services.sign_ins import record_failed_sign_in, record_of_account


@receiver(user_logged_in)
def signed_in(user: Any, **kwargs: Any) -> None:
    """Record a sign-in, by whichever way."""
    record_of_account(user=user, action="session.signed_in", by=Actor.of(user))


@receiver(user_logged_out)
def signed_out(user: Any, **kwargs: Any) -> None:
    """Record a sign-out; Django tells of anonymous ones, too."""
    if isinstance(user, User):
        record_of_account(user=user, action="session.signed_out", by=Actor.of(user))


@receiver(user_login_failed)
def sign_in_failed(credentials: Mapping[str, Any], **kwargs: Any) -> None:
    """Record a failed sign-in."""
    named = credentials.get("username") or credentials.get("email") or ""
    record_failed_sign_in(email=str(named))
