"""When a person last proved who they are, and whether that is recent enough.

Every proof counts: the sign-in itself, and each password, code, passkey or sign-on that confirmed it later.
"""

import time
from typing import Any

from allauth.account.signals import authentication_step_completed
from allauth.core.exceptions import ReauthenticationRequired
from django.conf import settings
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest

PROVED_AT = "proved_at"


def proved_recently(request: HttpRequest) -> bool:
    """Tell whether the session's last proof is at most ``REAUTHENTICATION_SECONDS`` old."""
    age = time.time() - request.session.get(PROVED_AT, 0.0)
    return bool(0 <= age <= settings.REAUTHENTICATION_SECONDS)


def note_proof(request: HttpRequest) -> None:
    """Note that the person has proved who they are now."""
    request.session[PROVED_AT] = time.time()


def demand_recent_proof(request: HttpRequest) -> None:
    """Send a person whose proof is too old to confirm who they are; what they sent is kept meanwhile.

    The sign-in library's middleware answers this and, once it is confirmed, goes on with the request.
    """
    if not proved_recently(request):
        raise ReauthenticationRequired


@receiver(user_logged_in)
def note_sign_in(request: HttpRequest, **kwargs: Any) -> None:
    """Count the sign-in as a proof."""
    note_proof(request)


@receiver(authentication_step_completed)
def note_confirmation(request: HttpRequest, user: Any, **kwargs: Any) -> None:
    """Count a later proof; a step of a sign-in that is not complete yet is none."""
    if request.user.is_authenticated and request.user.pk == user.pk:
        note_proof(request)
