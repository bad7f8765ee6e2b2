"""Members of the tenant: added by e-mail, given a role, removed."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.identity.lockout import locked_addresses
from mlplatform.identity.services.lockouts import unlock_account
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.admin.grants import grants_table
from mlplatform.tenancy.admin.sign_in_facts import sign_in_facts
from mlplatform.tenancy.models import Membership, Role, User
from mlplatform.tenancy.permissions import ROLE_CAPABILITIES, Capability
from mlplatform.tenancy.services.accounts import issue_password_link, may_issue_link
from mlplatform.tenancy.services.tenants import add_member, change_role, remove_member


class MemberForm(ConsoleForm):
    """A new member."""

    email = forms.EmailField(label="E-mail", help_text="The person signs in with this address.")
    name = forms.CharField(max_length=150, required=False)
    role = forms.ChoiceField(choices=Role.choices, help_text="Each role includes the ones above it.")


class RoleForm(ConsoleForm):
    """Another role."""

    role = forms.ChoiceField(choices=Role.choices, help_text="Each role includes the ones above it.")


@admin.register(Membership, site=console)
class MembershipAdmin(PlatformModelAdmin):
    """Who works in this tenant."""

    can_add = True
    add_title = "Add member"
    add_reauthenticates = True
    list_display = [
        cell("user.email", "Member"),
        cell("user.name", "Name"),
        "role",
        "sign_in",
        cell("created_at", "Since"),
    ]
    list_select_related = ["user"]
    search_fields = ["user__email", "user__name"]
    list_filter = ["role"]
    empty_hint = "Add the people who work with this tenant's models."
    commands = (
        Command("change-role", "Change role", Capability.ADMIN, "badge", reauthenticate=True),
        Command(
            "new-link",
            "New set-password link",
            Capability.ADMIN,
            "link",
            post=True,
            available=lambda membership: may_issue_link(membership.user),
        ),
        Command(
            "unlock",
            "Unlock sign-in",
            Capability.ADMIN,
            "lock_open",
            post=True,
            available=lambda membership: bool(locked_addresses(membership.user)),
        ),
        Command("remove", "Remove", Capability.ADMIN, "person_remove", "danger", reauthenticate=True),
    )

    @admin.display(description="Sign-in")
    def sign_in(self, membership: Membership) -> str:
        """Whether the person has set a password, and when they last came."""
        return show(_sign_in(membership.user))

    def sections(self, request: HttpRequest, row: Membership) -> Iterable[Section | None]:
        """Return the person and what the role allows."""
        yield Facts(
            row.user.email,
            [
                ("Name", row.user.name),
                ("Role", Role(row.role).label),
                ("May", sorted(ROLE_CAPABILITIES.get(row.role, ()))),
                ("Sign-in", _sign_in(row.user)),
                *sign_in_facts(row.user),
                ("Role given by", row.given_by or "a person"),
                ("Last signed in", row.user.last_login or "never"),
                ("Member since", row.created_at),
                ("Teams", list(row.teams.all())),
            ],
            wide=True,
        )
        if row.role != Role.ADMIN:
            yield grants_table("Own rights on models", row.grants.all())

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Add a member; a new account gets a one-time link, since there may be no mail server."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            known = User.objects.filter(email=data["email"].lower()).exists()
            membership = add_member(email=data["email"], name=data["name"], role=data["role"], by=by)
            if known:
                return self.done(
                    request, f"{membership.user} is now a member, with the account they have.", membership
                )
            return self._link_page(request, membership)

        page = FormPage("Add a member", "Add member", intro="A person without an account gets one.")
        return self.form_page(request, page=page, form=bound(MemberForm, request), submit=submit)

    def change_role(self, request: HttpRequest, membership: Membership) -> HttpResponse:
        """Ask for the role and change it."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            change_role(membership=membership, role=data["role"], by=by)
            return self.done(request, f"{membership.user} is now {data['role']}.", membership)

        form = bound(RoleForm, request, initial={"role": membership.role})
        page = FormPage(f"Role of {membership.user}", "Save role")
        return self.form_page(request, page=page, form=form, submit=submit, row=membership)

    def unlock(self, request: HttpRequest, membership: Membership) -> HttpResponse:
        """Let the member sign in again at once."""
        unlock_account(user=membership.user, by=Actor.of(request.user))  # type: ignore[arg-type]  # signed in
        return self.done(request, f"{membership.user} can sign in again.", membership)

    def new_link(self, request: HttpRequest, membership: Membership) -> HttpResponse:
        """Show a fresh link to somebody's first password."""
        if not may_issue_link(membership.user):
            return self.done(request, "This person has a password already.", membership)
        return self._link_page(request, membership)

    def remove(self, request: HttpRequest, membership: Membership) -> HttpResponse:
        """Ask, then end the membership."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            email = membership.user.email
            remove_member(membership=membership, by=by)
            return self.done(request, f"{email} is no longer a member.")

        page = FormPage(
            f"Remove {membership.user}?",
            "Remove",
            intro="The person loses access to this tenant at once. What they did stays in the history.",
            danger=True,
        )
        return self.form_page(
            request, page=page, form=bound(ConfirmForm, request), submit=submit, row=membership
        )

    def _link_page(self, request: HttpRequest, membership: Membership) -> HttpResponse:
        by = Actor.of(request.user)  # type: ignore[arg-type]  # signed in
        address = reverse("set-password", kwargs=issue_password_link(membership=membership, by=by))
        return self.render(
            request,
            "admin/pages/secret.html",
            membership,
            heading=f"{membership.user} can now sign in",
            explanation="Send this link to the person over a channel you trust. It sets the first password.",
            label="One-time link",
            secret=request.build_absolute_uri(address),
            warning="It works once, for three days, and is not shown again.",
            back=page_url(membership),
        )


def _sign_in(user: User) -> Badge:
    if not user.is_active:
        return Badge("Switched off", "muted")
    return Badge("Ready", "good") if user.has_usable_password() else Badge("No password yet", "warn")
