"""Tenants of the installation; superusers only."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.parts import Badge, Button, Facts, Section
from mlplatform.admin.render import size
from mlplatform.admin.rights import OwnerRights
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.admin.limits import limits_table
from mlplatform.tenancy.limits import KINDS, NAMES
from mlplatform.tenancy.models import Membership, Tenant
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.accounts import set_tenant_active
from mlplatform.tenancy.services.limits import set_limits
from mlplatform.tenancy.services.tenants import create_tenant

GIGABYTE = 10**9


class TenantForm(ConsoleForm):
    """A new tenant."""

    name = forms.CharField(max_length=200, help_text="As people know it, for example North Clinic.")
    slug = forms.CharField(
        label="Short name",
        max_length=50,
        help_text="For commands, for example north-clinic. It never changes.",
    )


class LimitsForm(ConsoleForm):
    """A tenant's own limits; empty ones follow the installation's."""

    requests_per_minute = forms.IntegerField(required=False, min_value=1)
    running_jobs = forms.IntegerField(label="Training jobs at once", required=False, min_value=1)
    active_jobs = forms.IntegerField(label="Training jobs, waiting and running", required=False, min_value=1)
    storage_bytes = forms.DecimalField(label="Storage in GB", required=False, min_value=Decimal("0.001"))
    stored_rows = forms.IntegerField(required=False, min_value=1)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for kind in KINDS:
            default = settings.LIMITS[kind.name]
            shown = size(default) if kind.name == "storage_bytes" else f"{default:,}"
            self.fields[kind.name].help_text = f"{kind.help} Empty: {shown}, as for every tenant."

    def clean_storage_bytes(self) -> int | None:
        """Return bytes."""
        gigabytes = self.cleaned_data["storage_bytes"]
        return None if gigabytes is None else int(gigabytes * GIGABYTE)


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
        Command("set-limits", "Set limits", Capability.ADMIN, "speed"),
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
        with tenant_scope(row):
            yield limits_table()

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

    def set_limits(self, request: HttpRequest, tenant: Tenant) -> HttpResponse:
        """Ask for the tenant's own limits and set them."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            set_limits(tenant=tenant, changes=data, by=by)
            return self.done(request, f"The limits of {tenant.name} are set. They hold at once.", tenant)

        initial = {name: getattr(tenant, name) for name in NAMES}
        if tenant.storage_bytes is not None:
            initial["storage_bytes"] = (Decimal(tenant.storage_bytes) / GIGABYTE).normalize()
        page = FormPage(
            f"Limits of {tenant.name}",
            "Save limits",
            intro="What is stored above a new limit stays; nothing is added until there is room again.",
        )
        form = bound(LimitsForm, request, initial=initial)
        return self.form_page(request, page=page, form=form, submit=submit, row=tenant)

    def deactivate(self, request: HttpRequest, tenant: Tenant) -> HttpResponse:
        """Refuse the tenant's members and keys from now on."""
        set_tenant_active(tenant=tenant, active=False, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{tenant.name} is switched off.", tenant)

    def activate(self, request: HttpRequest, tenant: Tenant) -> HttpResponse:
        """Let the tenant's members and keys in again."""
        set_tenant_active(tenant=tenant, active=True, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{tenant.name} is switched on.", tenant)
