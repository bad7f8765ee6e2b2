"""Tenants of the installation; superusers only."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.parts import Badge, Button, Facts, Section
from mlplatform.admin.rights import OwnerRights
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Membership, Tenant
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.accounts import set_tenant_active
from mlplatform.tenancy.services.tenants import create_tenant


class TenantForm(ConsoleForm):
    """A new tenant."""

    name = forms.CharField(max_length=200, help_text="As people know it, for example North Clinic.")
    slug = forms.CharField(
        label="Short name",
        max_length=50,
        help_text="For commands, for example north-clinic. It never changes.",
    )


@admin.register(Tenant, site=console)
class TenantAdmin(OwnerRights, PlatformModelAdmin):
    """Companies, or parts of them, that share this installation."""

    can_add = True
    add_title = "New tenant"
    list_display = ["name", "slug", "is_active", cell("created_at", "Created")]
    search_fields = ["name", "slug"]
    list_filter = ["is_active"]
    empty_hint = "A tenant owns datasets, models and members."
    commands = (
        Command(
            "deactivate", "Switch off", Capability.ADMIN, "block", "danger", True, lambda one: one.is_active
        ),
        Command(
            "activate", "Switch on", Capability.ADMIN, "check", "plain", True, lambda one: not one.is_active
        ),
    )

    def sections(self, request: HttpRequest, row: Tenant) -> Iterable[Section | None]:
        """Return the tenant's record; its content is seen by working for it."""
        with tenant_scope(row):
            members = Membership.objects.count()
        yield Facts(
            row.name,
            [
                ("State", Badge("Active", "good") if row.is_active else Badge("Switched off", "muted")),
                ("Short name", row.slug),
                ("Members", members),
                ("Created", row.created_at),
            ],
            wide=True,
        )

    def buttons(self, request: HttpRequest, row: Tenant) -> Iterable[Button]:
        """Offer to work for the tenant."""
        address = f"{self.admin_site.name}:switch_tenant"
        yield Button("Work for it", reverse(address), "login", post=True, fields={"tenant": row.pk})

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Create a tenant."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            tenant = create_tenant(slug=data["slug"], name=data["name"], by=by)
            return self.done(
                request, f"{tenant.name} was created. Work for it, then add its first admin.", tenant
            )

        page = FormPage("New tenant", "Create tenant")
        return self.form_page(request, page=page, form=bound(TenantForm, request), submit=submit)

    def deactivate(self, request: HttpRequest, tenant: Tenant) -> HttpResponse:
        """Refuse the tenant's members and keys from now on."""
        set_tenant_active(tenant=tenant, active=False, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{tenant.name} is switched off.", tenant)

    def activate(self, request: HttpRequest, tenant: Tenant) -> HttpResponse:
        """Let the tenant's members and keys in again."""
        set_tenant_active(tenant=tenant, active=True, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{tenant.name} is switched on.", tenant)
