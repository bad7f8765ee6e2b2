"""Setting a first password by a one-time link."""

from typing import Any

from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.views import PasswordResetConfirmView
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy

from mlplatform.admin.forms import dress
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.services.sign_ins import record_of_account


class FirstPasswordForm(SetPasswordForm):  # type: ignore[type-arg]  # generic in the stubs alone
    """Django's form in the theme's dress."""

    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)
        dress(self)


class SetPasswordView(PasswordResetConfirmView):
    """Django's own one-time link, in the console's frame."""

    template_name = "admin/pages/set_password.html"
    form_class = FirstPasswordForm
    success_url = reverse_lazy("admin:login")

    def form_valid(self, form: Any) -> HttpResponse:
        """Set the password and record that it was set, together."""
        with transaction.atomic():
            user = form.user
            record_of_account(user=user, action="account.password_set", by=Actor.of(user))
            return super().form_valid(form)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        """Add what the theme's frame reads."""
        return {**console.each_context(self.request), **super().get_context_data(**kwargs)}
