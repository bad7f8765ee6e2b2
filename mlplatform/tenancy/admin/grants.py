"""Rights on one model: who may do more there, or less, than the role in the tenant says."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Badge, Facts, Link, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Grant, Membership, Role, Team
from mlplatform.tenancy.models.team import GRANTABLE, NO_ACCESS
from mlplatform.tenancy.permissions import GRANT_CAPABILITIES, Capability
from mlplatform.tenancy.services.grants import give_right, withdraw_right

RULE = (
    "A member's own right on a model comes before those of the member's teams, of which the widest holds. "
    "Where there is none, the role in the tenant holds."
)


class RoleForm(ConsoleForm):
    """Which role."""

    role = forms.ChoiceField(choices=GRANTABLE, initial=Role.VIEWER, label="On this model", help_text=RULE)


class GrantForm(RoleForm):
    """Who gets which role on which model."""

    model: "forms.ModelChoiceField[Any]" = forms.ModelChoiceField(queryset=None)
    holder = forms.ChoiceField(label="Who", help_text="Admins are not here: they may do everything.")
    field_order = ("model", "holder")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["model"].queryset = Grant.models_of_tenant()  # type: ignore[attr-defined]  # a model choice
        self.fields["holder"].choices = [("", "---------"), *_holders()]  # type: ignore[attr-defined]  # a choice

    def clean_holder(self) -> Membership | Team:
        """Return the member or the team."""
        kind, _, pk = self.cleaned_data["holder"].partition(":")
        table = Team if kind == "team" else Membership
        return table.objects.get(pk=pk)


def _holders() -> list[tuple[str, list[tuple[str, str]]]]:
    members = Membership.objects.exclude(role=Role.ADMIN).select_related("user")
    return [
        ("Teams", [(f"team:{team.pk}", team.name) for team in Team.objects.all()]),
        ("Members", [(f"member:{one.pk}", str(one)) for one in members]),
    ]


def role_badge(grant: Grant) -> Badge:
    """Return the role on the model."""
    if grant.role == NO_ACCESS:
        return Badge("No access", "bad")
    return Badge(grant.role.capitalize(), "info")


def grants_table(title: str, grants: QuerySet[Grant]) -> Table:
    """Return the rights as a section of a page."""
    rows = grants.select_related("model", "membership__user", "team")
    return Table(
        title,
        ["Model", "Who", "May", "Since", ""],
        [
            [one.model, one.holder, role_badge(one), one.created_at, Link("Change", page_url(one))]
            for one in rows
        ],
        empty="None: the roles in the tenant hold.",
        note=RULE,
    )


@admin.register(Grant, site=console)
class GrantAdmin(PlatformModelAdmin):
    """Who may do more, or less, on one model than the role in the tenant says."""

    can_add = True
    add_reauthenticates = True
    add_title = "Give a right"
    list_display = ["name", cell("model", "Model"), "role_shown", cell("created_at", "Since"), "created_by"]
    list_select_related = ["model", "membership__user", "team"]
    list_filter = [("model", RelatedDropdownFilter), ("team", RelatedDropdownFilter), "role"]
    search_fields = ["model__name", "membership__user__email", "team__name"]
    empty_title = "Everybody's role holds on every model"
    empty_hint = "Give a member or a team another role on one model, or no access to it at all."
    commands = (
        Command("edit", "Change", Capability.ADMIN, "edit", reauthenticate=True),
        Command("withdraw", "Take back", Capability.ADMIN, "delete", "danger", reauthenticate=True),
    )

    @admin.display(description="Who")
    def name(self, grant: Grant) -> str:
        """The member or the team."""
        return str(grant.holder)

    @admin.display(description="May", ordering="role")
    def role_shown(self, grant: Grant) -> str:
        """The role on the model."""
        return show(role_badge(grant))

    def sections(self, request: HttpRequest, row: Grant) -> Iterable[Section | None]:
        """Return who may do what on which model."""
        yield Facts(
            "Right on a model",
            [
                ("Model", row.model),
                ("Who", row.holder),
                ("On this model", role_badge(row)),
                ("May", sorted(GRANT_CAPABILITIES[row.role])),
                ("Since", row.created_at),
                ("Given by", row.created_by),
            ],
            note=RULE,
            wide=True,
        )

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Give a right."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            return self.done(request, "The right holds at once.", give_right(**data, by=by))

        page = FormPage("Give a right on a model", "Save right", intro="It replaces an earlier one.")
        return self.form_page(request, page=page, form=bound(GrantForm, request), submit=submit)

    def edit(self, request: HttpRequest, grant: Grant) -> HttpResponse:
        """Give another role."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            give_right(model=grant.model, holder=grant.holder, role=data["role"], by=by)
            return self.done(request, "The right was changed. It holds at once.", grant)

        form = bound(RoleForm, request, initial={"role": grant.role})
        page = FormPage(f"{grant.holder} on {grant.model}", "Save right")
        return self.form_page(request, page=page, form=form, submit=submit, row=grant)

    def withdraw(self, request: HttpRequest, grant: Grant) -> HttpResponse:
        """Ask, then take it back."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            told = f"{grant.holder} has no right of its own on {grant.model} any more."
            withdraw_right(grant=grant, by=by)
            return self.done(request, told)

        page = FormPage(
            f"Take back the right of {grant.holder} on {grant.model}?", "Take back", intro=RULE, danger=True
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=grant)
