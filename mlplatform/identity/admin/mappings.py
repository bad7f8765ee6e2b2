"""Which claims give which role in which tenant; platform administrators only."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, ConsoleForm, bound
from mlplatform.admin.parts import Facts, Section
from mlplatform.admin.rights import OwnerRights
from mlplatform.admin.site import console
from mlplatform.identity.models import ClaimMapping
from mlplatform.identity.services.mappings import add_mapping, provider_names, remove_mapping
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Role, Tenant
from mlplatform.tenancy.permissions import Capability


class MappingForm(ConsoleForm):
    """A new rule."""

    provider = forms.ChoiceField(
        choices=lambda: list(provider_names().items()),
        help_text="Providers are configured by the operator (ML_OIDC_PROVIDERS).",
    )
    claim = forms.CharField(
        max_length=100,
        help_text="What the provider says about a person, for example groups. A name such as "
        "realm_access.roles leads into an object.",
    )
    value = forms.CharField(
        max_length=200, help_text="What the claim must be, or hold where it is a list, such as ml-analysts."
    )
    tenant = forms.ModelChoiceField(queryset=Tenant.objects.all())
    role = forms.ChoiceField(
        choices=Role.choices, help_text="Where several rules match, the highest role counts."
    )


@admin.register(ClaimMapping, site=console)
class ClaimMappingAdmin(OwnerRights, PlatformModelAdmin):
    """Rules by which people who sign in through a provider become members of tenants."""

    can_add = True
    add_title = "New rule"
    add_reauthenticates = True
    list_display = [
        "provider",
        "claim",
        "value",
        cell("tenant", "Tenant"),
        "role",
        cell("created_at", "Since"),
    ]
    list_select_related = ["tenant"]
    list_filter = ["provider", "role"]
    search_fields = ["claim", "value", "tenant__name"]
    empty_title = "No sign-on rule yet"
    empty_hint = "A rule makes people with a certain claim members of a tenant, and ends that with the claim."
    commands = (Command("remove", "Remove", Capability.ADMIN, "delete", "danger", reauthenticate=True),)

    def sections(self, request: HttpRequest, row: ClaimMapping) -> Iterable[Section | None]:
        """Return the rule."""
        yield Facts(
            "Sign-on rule",
            [
                ("Provider", provider_names().get(row.provider, f"{row.provider} (not configured any more)")),
                ("Claim", row.claim),
                ("Value", row.value),
                ("Tenant", row.tenant),
                ("Role", Role(row.role).label),
                ("Since", row.created_at),
            ],
            note="It counts at each sign-in. Roles that a person gave are never touched by it.",
            wide=True,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Add a rule."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            rule = add_mapping(**data, by=by)
            return self.done(request, "The rule counts from each person's next sign-in.", rule)

        page = FormPage(
            "New sign-on rule",
            "Add rule",
            intro="Whoever signs in with the claim is a member of the tenant while the claim lasts.",
        )
        return self.form_page(request, page=page, form=bound(MappingForm, request), submit=submit)

    def remove(self, request: HttpRequest, rule: ClaimMapping) -> HttpResponse:
        """Ask, then remove the rule."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            remove_mapping(rule=rule, by=by)
            return self.done(request, "The rule is removed.")

        page = FormPage(
            f"Remove the rule {rule}?",
            "Remove",
            intro="Who has a role by this rule alone loses it at the next sign-in.",
            danger=True,
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=rule)
