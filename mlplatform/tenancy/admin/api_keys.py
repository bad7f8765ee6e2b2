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
from mlplatform.admin.parts import Badge, Facts, Link, Section
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import ApiKey, Grant, Scope
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.api_keys import (
    LONGEST_OVERLAP_HOURS,
    OVERLAP_HOURS,
    CreatedKey,
    create_api_key,
    limit_api_key,
    revoke_api_key,
    rotate_api_key,
)


class KeyLimitForm(ConsoleForm):
    """How much a key may be used."""

    requests_per_minute = forms.IntegerField(
        required=False, min_value=1, help_text="Empty: as many as all keys of the tenant may make together."
    )


class KeyForm(KeyLimitForm):
    """Name, scopes, expiry and limit of a new key."""

    name = forms.CharField(max_length=100, help_text="Who uses it, for example 'laboratory server'.")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices, widget=forms.CheckboxSelectMultiple, help_text="Give no more than it needs."
    )
    models = forms.MultipleChoiceField(
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="The models it may use. Tick none for all, those that come later included.",
    )
    expires_at = forms.DateTimeField(
        label="Expires",
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text="Time in UTC. Without one, the key works until it is revoked.",
    )

    field_order = ("name", "scopes", "models", "expires_at", "requests_per_minute")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Grant.models_of_tenant().values_list("name", flat=True)
        self.fields["models"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]  # a choice field


class RotationForm(ConsoleForm):
    """How long the old key works on."""

    overlap_hours = forms.IntegerField(
        label="Keep the old key for",
        min_value=0,
        max_value=LONGEST_OVERLAP_HOURS,
        initial=OVERLAP_HOURS,
        help_text="Hours in which both keys work, so that programs can be changed over. 0: it ends at once.",
    )


def _is_not_revoked(key: ApiKey) -> bool:
    return key.revoked_at is None


def state_of(key: ApiKey) -> Badge:
    """Return whether the key works."""
    if key.revoked_at is not None:
        return Badge("Revoked", "muted")
    if is_replaced(key) and key.is_live(timezone.now()):
        return Badge("Being replaced", "info")
    return Badge("Active", "good") if key.is_live(timezone.now()) else Badge("Expired", "warn")


def is_replaced(key: ApiKey) -> bool:
    """Tell whether the key has a successor."""
    return hasattr(key, "successor")


def rotatable(key: ApiKey) -> bool:
    """Tell whether a successor can be made."""
    return key.is_live(timezone.now()) and not is_replaced(key)


@admin.register(ApiKey, site=console)
class ApiKeyAdmin(PlatformModelAdmin):
    """Keys of the tenant's programs."""

    can_add = True
    add_title = "New API key"
    add_reauthenticates = True
    list_display = [
        "name",
        "state",
        "scope_names",
        "good_for",
        "prefix",
        cell("last_used_at", "Last used"),
        "expires",
        "created_by",
    ]
    list_select_related = ["successor"]
    search_fields = ["name", "prefix", "created_by"]
    list_filter = ["revoked_at", "created_at"]
    actions = ["revoke_selected"]
    empty_title = "No API key yet"
    empty_hint = "Programs sign in with a key. Make one with the scopes that the program needs."
    commands = (
        Command(
            "rotate",
            "Rotate",
            Capability.ADMIN,
            "autorenew",
            "primary",
            available=rotatable,
            reauthenticate=True,
        ),
        Command("limit", "Change limit", Capability.ADMIN, "speed", available=_is_not_revoked),
        Command(
            "revoke",
            "Revoke",
            Capability.ADMIN,
            "key_off",
            "danger",
            available=_is_not_revoked,
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

    @admin.display(description="Models")
    def good_for(self, key: ApiKey) -> str:
        """Which models the key may use."""
        return show(key.model_names or "all")

    @admin.display(description="Expires", ordering="expires_at")
    def expires(self, key: ApiKey) -> str:
        """When the key ends by itself."""
        return show(key.expires_at or "never")

    @admin.action(description="Revoke", permissions=["admin"])
    def revoke_selected(self, request: HttpRequest, keys: QuerySet[ApiKey]) -> None:
        """End the selected keys at once."""
        self.for_each(
            request, keys, Capability.ADMIN, lambda key, by: revoke_api_key(key=key, by=by), "revoked"
        )

    def sections(self, request: HttpRequest, row: ApiKey) -> Iterable[Section | None]:
        """Return what is known of the key; its secret is not among it."""
        yield Facts(
            row.name,
            [
                ("State", state_of(row)),
                ("Begins with", f"mlp_{row.prefix}_…"),
                ("May", [str(Scope(scope).label) for scope in row.scopes]),
                ("Models", row.model_names or "all"),
                ("Requests per minute", row.requests_per_minute or "as many as the tenant"),
                ("Last used", row.last_used_at or "never"),
                ("From the address", row.last_used_from),
                ("Expires", row.expires_at or "never"),
                ("Revoked", row.revoked_at),
                ("Replaces", _dated(row.rotated_from)),
                ("Replaced by", _dated(getattr(row, "successor", None))),
                ("Created", row.created_at),
                ("Created by", row.created_by),
            ],
            wide=True,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Create a key and show its secret once."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            made = create_api_key(**data, by=by)
            return self._secret_page(request, made, f"API key “{made.key.name}” is ready")

        page = FormPage("New API key", "Create key", intro="The secret is shown once, on the next page.")
        return self.form_page(request, page=page, form=bound(KeyForm, request), submit=submit)

    def rotate(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """Ask for the overlap, then show the successor's secret once."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            made = rotate_api_key(key=key, by=by, overlap_hours=data["overlap_hours"])
            return self._secret_page(request, made, f"The new key of “{key.name}” is ready")

        page = FormPage(
            f"Rotate {key.name}?",
            "Make the new key",
            intro="The new key has the same scopes and models. Its secret is shown once, on the next page.",
        )
        return self.form_page(request, page=page, form=bound(RotationForm, request), submit=submit, row=key)

    def limit(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """Ask for the limit and change it."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            limit_api_key(key=key, requests_per_minute=data["requests_per_minute"], by=by)
            return self.done(request, f"The limit of {key.name} is changed. It holds at once.", key)

        form = bound(KeyLimitForm, request, initial={"requests_per_minute": key.requests_per_minute})
        page = FormPage(f"Limit of {key.name}", "Save limit")
        return self.form_page(request, page=page, form=form, submit=submit, row=key)

    def revoke(self, request: HttpRequest, key: ApiKey) -> HttpResponse:
        """Ask, then end the key."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            revoke_api_key(key=key, by=by)
            return self.done(request, f"The key {key.name} no longer works.", key)

        page = FormPage(
            f"Revoke {key.name}?", "Revoke", intro="Programs that use it are refused at once.", danger=True
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=key)

    def _secret_page(self, request: HttpRequest, made: CreatedKey, heading: str) -> HttpResponse:
        return self.render(
            request,
            "admin/pages/secret.html",
            heading=heading,
            explanation="Send it with each request as the header: Authorization: Bearer <key>",
            label="The key",
            secret=made.secret,
            warning="Copy it now: it is stored as a hash and cannot be shown again.",
            back=page_url(made.key),
        )


def _dated(key: ApiKey | None) -> Link | None:
    return None if key is None else Link(f"{key} of {key.created_at:%Y-%m-%d %H:%M}", page_url(key))
