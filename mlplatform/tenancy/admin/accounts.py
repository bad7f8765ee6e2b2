"""Accounts of the installation; superusers only."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib import admin
from django.db.models import prefetch_related_objects
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.admin.rights import OwnerRights
from mlplatform.admin.site import console
from mlplatform.identity.lockout import locked_addresses
from mlplatform.identity.services.lockouts import unlock_account
from mlplatform.identity.services.second_factors import factors_of, remove_second_factors
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.admin.sign_in_facts import sign_in_facts
from mlplatform.tenancy.lookups import memberships_of
from mlplatform.tenancy.models import Role, User
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.accounts import issue_account_link, set_account_active


@admin.register(User, site=console)
class UserAdmin(OwnerRights, PlatformModelAdmin):
    """Everybody who may sign in, whichever tenants they belong to."""

    list_display = ["email", "name", "is_active", "is_superuser", cell("last_login", "Last signed in")]
    search_fields = ["email", "name"]
    list_filter = ["is_active", "is_superuser"]
    empty_hint = "Accounts are made by adding members to a tenant."
    commands = (
        Command("new-link", "New set-password link", Capability.ADMIN, "link", reauthenticate=True),
        Command(
            "unlock",
            "Unlock sign-in",
            Capability.ADMIN,
            "lock_open",
            post=True,
            available=lambda one: bool(locked_addresses(one)),
        ),
        Command(
            "remove-second-factors",
            "Remove second factors",
            Capability.ADMIN,
            "phonelink_erase",
            "danger",
            available=lambda one: any(factors_of(one).values()),
            reauthenticate=True,
        ),
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
                *sign_in_facts(row),
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

    def new_link(self, request: HttpRequest, user: User) -> HttpResponse:
        """Ask, then show a link that sets a new password: for somebody who forgot it."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            address = reverse("set-password", kwargs=issue_account_link(user=user, by=by))
            return self.render(
                request,
                "admin/pages/secret.html",
                user,
                heading=f"A new password for {user}",
                explanation="Send this link to the person over a channel you trust.",
                label="One-time link",
                secret=request.build_absolute_uri(address),
                warning="It works once, for three days, and is not shown again.",
                back=page_url(user),
            )

        page = FormPage(
            f"A new password for {user}?",
            "Make a link",
            intro="The present password works until the link is used. Whoever has the link can sign in.",
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=user)

    def unlock(self, request: HttpRequest, user: User) -> HttpResponse:
        """Let the person sign in again at once."""
        unlock_account(user=user, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{user} can sign in again.", user)

    def remove_second_factors(self, request: HttpRequest, user: User) -> HttpResponse:
        """Ask, then take the second factors away: for somebody who lost phone and passkeys."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            remove_second_factors(user=user, by=by)
            return self.done(request, f"{user} signs in without a second factor now.", user)

        page = FormPage(
            f"Remove the second factors of {user}?",
            "Remove",
            intro="Be sure that it is the owner who asks. All sessions of the account end.",
            danger=True,
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=user)

    def deactivate(self, request: HttpRequest, user: User) -> HttpResponse:
        """Refuse the person from now on."""
        set_account_active(user=user, active=False, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{user} is switched off.", user)

    def activate(self, request: HttpRequest, user: User) -> HttpResponse:
        """Let the person in again."""
        set_account_active(user=user, active=True, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{user} is switched on.", user)
