"""API keys: made with their secret shown once, and revoked."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import ApiKey, Scope
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.api_keys import create_api_key, revoke_api_key


class KeyForm(ConsoleForm):
    """Name, scopes and expiry of a new key."""

    name = forms.CharField(max_length=100, help_text="Who uses it, for example 'laboratory server'.")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, help_text="Give no more than it needs."
    )
    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Time in UTC. Without one, the key works until it is revoked.",
    )


def state_of(key: ApiKey) -> Badge:
    """Return whether the key works."""
    if key.revoked_at is not None:
        return Badge("Revoked", "muted")
    return Badge("Active", "good") if key.is_live(timezone.now()) else Badge("Expired", "warn")


@admin.register(ApiKey, site=console)
class ApiKeyAdmin(PlatformModelAdmin):
    """Keys of the tenant's programs."""

    can_add = True
    add_title = "New API key"
    list_display = [
        "name",
        "state",
        "scope_names",
        "prefix",
        cell("last_used_at", "Last used"),
        "expires",
        "created_by",
    ]
    search_fields = ["name", "prefix", "created_by"]
    list_filter = ["revoked_at", "created_at"]
    actions = ["revoke_selected"]
    empty_title = "No API key yet"
    empty_hint = "Programs sign in with a key. Make one with the scopes that the program needs."
    commands = (
        Command(
            "revoke",
            "Revoke",
            Capability.ADMIN,
            "key_off",
            "danger",
            available=lambda key: key.revoked_at is None,
        ),
    )

    @admin.display(description="State")
    def state(self, key: ApiKey) -> str:
        """Whether the key works."""
        return show(state_of(key))

    @admin.display(description="Scopes")
    def scope_names(self, key: ApiKey) -> str:
        """What the key may do."""
        return ", ".join(key.scopes)

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        """When the key ends by itself."""
        return show(key.expires_at or "never")

    @admin.action(description="Revoke", permissions=["admin"])
    def revoke_selected(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """End the selected keys at once."""
        self.for_each(request, keys, lambda key, by: revoke_api_key(key=key, by=by), "revoked")

    def sections(self, request: HttpRequest, row: ApiKey) -> Iterable[Section | None]:
        """Return what is known of the key; its secret is not among it."""
        yield Facts(
            row.name,
            [
                ("State", state_of(row)),
                ("Begins with", f"mlp_{row.prefix}_…"),
                ("May", [str(Scope(scope).label) for scope in row.scopes]),
                ("Last used", row.last_used_at or "never"),
                ("Expires", row.expires_at or "never"),
                ("Revoked", row.revoked_at),
                ("Created", row.created_at),
                ("Created by", row.created_by),
            ],
            wide=True,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Create a key and show its secret once."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            made = create_api_key(
                name=data["name"], scopes=data["scopes"], expires_at=data["expires_at"], by=by
            )
            return self.render(
                request,
                "admin/pages/secret.html",
                heading=f"API key “{made.key.name}” is ready",
                explanation="Send it with each request as the header: Authorization: Bearer <key>",
                label="The key",
                secret=made.secret,
                warning="Copy it now: it is stored as a hash and cannot be shown again.",
                back=page_url(made.key),
            )

        page = FormPage("New API key", "Create key", intro="The secret is shown once, on the next page.")
        return self.form_page(request, page=page, form=bound(KeyForm, request), submit=submit)

    def revoke(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """Ask, then end the key."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            revoke_api_key(key=key, by=by)
            return self.done(request, f"The key {key.name} no longer works.", key)

        page = FormPage(
            f"Revoke {key.name}?", "Revoke", intro="Programs that use it are refused at once.", danger=True
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=key)
