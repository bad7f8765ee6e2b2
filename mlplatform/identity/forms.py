"""The forms of signing in. Codes of a locked account are answered like wrong ones."""

import struct
from typing import TYPE_CHECKING, Any

from allauth.account.forms import LoginForm
from allauth.core import context
from allauth.mfa.adapter import get_adapter
from allauth.mfa.base.forms import AuthenticateForm, BaseAuthenticateForm, ReauthenticateForm
from allauth.mfa.webauthn.forms import AddWebAuthnForm
from django import forms

from mlplatform.identity.lockout import is_locked

Base: Any = BaseAuthenticateForm if TYPE_CHECKING else object


class SignInForm(LoginForm):
    """E-mail address and password."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["login"].label = "E-mail address"
        for field in self.fields.values():
            field.widget.attrs.pop("placeholder", None)


class LockedOut(Base):
    """Looks at no code of an account that is locked out."""

    def clean_code(self) -> str:
        """Return the code where it is right; raises ValidationError."""
        if is_locked(context.request, self.user):
            raise get_adapter().validation_error("incorrect_code")
        code: str = super().clean_code()
        return code


class SecondStepForm(LockedOut, AuthenticateForm):
    """A code of the authenticator app, or a recovery code, after the password."""


class ConfirmCodeForm(LockedOut, ReauthenticateForm):
    """The same, to confirm a session."""


class PasskeyForm(AddWebAuthnForm):
    """A new passkey: its name, and whether it may stand for the password as well."""

    name = forms.CharField(max_length=60, help_text="To tell your passkeys apart, for example 'work laptop'.")
    passwordless = forms.BooleanField(
        label="It may sign me in by itself",
        required=False,
        initial=True,
        help_text="The device then asks for a finger, a face or a PIN. "
        "Otherwise it is a second step after the password.",
    )

    def clean(self) -> dict[str, Any]:
        """Return the answer of the device; raises ValidationError for one that is none."""
        try:
            cleaned: dict[str, Any] = super().clean()
        except (ArithmeticError, LookupError, TypeError, ValueError, struct.error) as error:
            raise get_adapter().validation_error("incorrect_code") from error
        return cleaned
