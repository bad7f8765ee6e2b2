"""What the sign-in library asks of the platform, but for single sign-on."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.core import context
from allauth.mfa.adapter import DefaultMFAAdapter
from allauth.mfa.models import Authenticator
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth import authenticate
from django.http import HttpRequest, HttpResponse
from django.http.request import split_domain_port
from django.urls import reverse

from mlplatform.identity.refusal import refused
from mlplatform.tenancy.request_context import client_address
from mlplatform.vault import seal, unseal

PASSKEY_OPTIONS = "mfa_login_webauthn"  # the one page that a script asks for JSON
SEALED_AS = "second factor"
WRONG = "The e-mail address or the password is wrong. Too many wrong answers lock an account for a while."


class AccountAdapter(DefaultAccountAdapter):
    """Accounts are known by e-mail address and made by invitation."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "email_password_mismatch": WRONG,
        "incorrect_password": "The password is wrong. Too many wrong answers lock an account for a while.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: nobody makes an account for himself."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the address by which requests are counted."""
        return client_address(request) or ""

    def is_ajax(self, request: HttpRequest) -> bool:
        """Tell whether a script asks; pages are pages whatever a client accepts."""
        match = request.resolver_match
        return bool(match and match.url_name == PASSKEY_OPTIONS and super().is_ajax(request))

    def reauthenticate(self, user: Any, password: str) -> bool:
        """Tell whether the password is right; a wrong one counts like one at sign-in."""
        return bool(authenticate(context.request, email=user.email, password=password) == user)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the ways in which the person can confirm who they are, the first one first."""
        if not user.is_authenticated:
            return []
        factors = set(Authenticator.objects.filter(user=user).values_list("type", flat=True))
        ways = (
            (user.has_usable_password(), "account_reauthenticate", "Use your password"),
            (Authenticator.Type.TOTP in factors, "mfa_reauthenticate", "Use a code"),
            (Authenticator.Type.WEBAUTHN in factors, "mfa_reauthenticate_webauthn", "Use a passkey"),
            (SocialAccount.objects.filter(user=user).exists(), "confirm_by_sign_on", "Use single sign-on"),
        )
        return [{"id": name, "description": text, "url": reverse(name)} for has, name, text in ways if has]

    def respond_user_inactive(self, request: HttpRequest, user: Any) -> HttpResponse:
        """Refuse an account that is switched off, after it proved itself by other means than a password."""
        return refused(request, "This account is switched off. Ask your administrator.")


class SecondFactorAdapter(DefaultMFAAdapter):
    """Keeps the secrets of second factors sealed, and names them as people do."""

    error_messages = {
        **DefaultMFAAdapter.error_messages,
        "incorrect_code": "This was not accepted. Too many wrong answers lock an account for a while.",
    }

    def encrypt(self, text: str) -> str:
        """Return a secret as it is stored."""
        return seal(text, purpose=SEALED_AS)

    def decrypt(self, encrypted_text: str) -> str:
        """Return a stored secret."""
        return unseal(encrypted_text, purpose=SEALED_AS)

    def generate_authenticator_name(self, user: Any, type: Any) -> str:  # noqa: A002  # the base's own name
        """Return a name for a new passkey."""
        return f"Passkey {Authenticator.objects.filter(user=user, type=type).count() + 1}"

    def get_public_key_credential_rp_entity(self) -> dict[str, str]:
        """Return for which site passkeys are: the host name, and a name to show."""
        return {"id": split_domain_port(context.request.get_host())[0], "name": "ML platform"}
