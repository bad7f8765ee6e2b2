"""The tenant's own settings, for its admins."""

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.forms import Field
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse

from mlplatform.admin.commands import FormPage
from mlplatform.admin.extensions import console_pages, settings_sections
from mlplatform.admin.forms import ConsoleForm, bound, dress
from mlplatform.admin.site import console
from mlplatform.errors import PlatformError
from mlplatform.identity.proofs import demand_recent_proof
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import current_tenant
from mlplatform.tenancy.services.settings import SETTINGS, change_settings


class SettingsForm(ConsoleForm):
    """One field for each setting, as the tenant's columns describe them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in SETTINGS:
            field: Field | None = Tenant._meta.get_field(name).formfield()  # type: ignore[union-attr]  # a column
            if field is not None:
                self.fields[name] = field
        dress(self)


def settings_page(request: HttpRequest) -> HttpResponse:
    """Show the settings, and change them."""
    if not can(request.user, Capability.ADMIN):
        raise PermissionDenied
    if request.method == "POST":
        demand_recent_proof(request)
    tenant = current_tenant()
    form = bound(SettingsForm, request, initial={name: getattr(tenant, name) for name in SETTINGS})
    if request.method == "POST" and form.is_valid():
        try:
            change_settings(changes=form.cleaned_data, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        except PlatformError as error:
            form.refuse(error)
        else:
            messages.success(request, "The settings are saved.")
            return redirect("admin:settings")
    page = FormPage(
        f"Settings of {tenant.name}",
        "Save settings",
        sections=[section for make in settings_sections if (section := make(request)) is not None],
    )
    words = {"page": page, "form": form, "cancel": reverse("admin:index"), "title": page.title}
    return TemplateResponse(request, "admin/pages/form.html", {**console.each_context(request), **words})


console_pages["settings"] = settings_page
