"""Accounts of the installation; superusers only."""

from collections.abc import Iterable

from django.contrib import admin
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.admin.rights import OwnerRights
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import Role, User
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.accounts import set_account_active


@admin.register(User, site=console)
class UserAdmin(OwnerRights, PlatformModelAdmin):
    """Everybody who may sign in, whichever tenants they belong to."""

    list_display = ["email", "name", "is_active", "is_superuser", cell("last_login", "Last signed in")]
    search_fields = ["email", "name"]
    list_filter = ["is_active", "is_superuser"]
    empty_hint = "Accounts are made by adding members to a tenant."
    commands = (
        Command(
            "deactivate", "Switch off", Capability.ADMIN, "block", "danger", True, lambda one: one.is_active
        ),
        Command(
            "activate", "Switch on", Capability.ADMIN, "check", "plain", True, lambda one: not one.is_active
        ),
    )

    def sections(self, request: HttpRequest, row: User) -> Iterable[Section | None]:
        """Return the account and its memberships."""
        yield Facts(
            row.email,
            [
                ("Name", row.name),
                ("State", Badge("Active", "good") if row.is_active else Badge("Switched off", "muted")),
                ("Runs the installation", row.is_superuser),
                ("Created", row.date_joined),
                ("Last signed in", row.last_login or "never"),
            ],
            wide=True,
        )
        memberships = memberships_of(row)
        prefetch_related_objects(memberships, "tenant")
        yield Table(
            "Memberships",
            ["Tenant", "Role", "Since"],
            [[one.tenant, Role(one.role).label, one.created_at] for one in memberships],
            empty="Not a member of any tenant. Add the person in a tenant's list of members.",
        )

    def deactivate(self, request: HttpRequest, user: User) -> HttpResponse:
        """Refuse the person from now on."""
        set_account_active(user=user, active=False, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{user} is switched off.", user)

    def activate(self, request: HttpRequest, user: User) -> HttpResponse:
        """Let the person in again."""
        set_account_active(user=user, active=True, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{user} is switched on.", user)
