"""Teams of the tenant: who belongs to them, and what that allows on which model."""

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Count, QuerySet
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConfirmForm, ConsoleForm, bound
from mlplatform.admin.links import add_url
from mlplatform.admin.parts import Button, Facts, Section, Table
from mlplatform.admin.render import show
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.admin.grants import grants_table
from mlplatform.tenancy.models import Grant, Membership, Role, Team
from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.services.teams import create_team, delete_team, update_team


class TeamForm(ConsoleForm):
    """A team's name and members."""

    name = forms.CharField(max_length=100, help_text="For example 'Radiology'.")
    members: "forms.ModelMultipleChoiceField[Membership]" = forms.ModelMultipleChoiceField(
        queryset=None,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Rights that the team is given hold for each of them.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["members"].queryset = Membership.objects.select_related("user")  # type: ignore[attr-defined]  # a model choice


@admin.register(Team, site=console)
class TeamAdmin(PlatformModelAdmin):
    """Members who are given rights together."""

    can_add = True
    add_title = "New team"
    list_display = ["name", "size", cell("created_at", "Made")]
    search_fields = ["name", "members__user__email"]
    empty_title = "No team yet"
    empty_hint = "A team gives several members the same rights on a model at once."
    commands = (
        Command("edit", "Edit", Capability.ADMIN, "edit", reauthenticate=True),
        Command("remove", "Delete", Capability.ADMIN, "delete", "danger", reauthenticate=True),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Team]:
        """Count the members in the same query."""
        rows: QuerySet[Team] = super().get_queryset(request)
        return rows.annotate(member_count=Count("members"))

    @admin.display(description="Members", ordering="member_count")
    def size(self, team: Team) -> str:
        """How many belong to it."""
        return show(getattr(team, "member_count", 0))

    def sections(self, request: HttpRequest, row: Team) -> Iterable[Section | None]:
        """Return who belongs to the team, and its rights."""
        yield Facts(row.name, [("Made", row.created_at)], wide=True)
        members = row.members.select_related("user")
        yield Table(
            "Members",
            ["Member", "Role in the tenant"],
            [[one, Role(one.role).label] for one in members],
            empty="Nobody yet. Edit the team to add members.",
        )
        yield grants_table("Rights on models", row.grants.all())

    def buttons(self, request: HttpRequest, row: Team) -> Iterable[Button]:
        """Offer to give the team a right."""
        address = add_url("tenancy.grant", holder=f"team:{row.pk}")
        yield Button("Give a right on a model", address, "lock_person", Capability.ADMIN)

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Create a team."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            team = create_team(**data, by=by)
            return self.done(request, f"The team {team} is there. Give it rights on models next.", team)

        page = FormPage("New team", "Create team")
        return self.form_page(request, page=page, form=bound(TeamForm, request), submit=submit)

    def edit(self, request: HttpRequest, team: Team) -> HttpResponse:
        """Change name and members."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            update_team(team=team, by=by, **data)
            return self.done(request, "The team was saved.", team)

        form = bound(TeamForm, request, initial={"name": team.name, "members": list(team.members.all())})
        return self.form_page(
            request, page=FormPage(f"Edit {team}", "Save"), form=form, submit=submit, row=team
        )

    def remove(self, request: HttpRequest, team: Team) -> HttpResponse:
        """Ask, then delete."""

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            name = team.name
            delete_team(team=team, by=by)
            return self.done(request, f"{name} was deleted.")

        rights = Grant.objects.filter(team=team).count()
        page = FormPage(
            f"Delete {team}?",
            "Delete",
            intro=f"Its {rights} rights on models end at once. Its members stay members of the tenant.",
            danger=True,
        )
        return self.form_page(request, page=page, form=bound(ConfirmForm, request), submit=submit, row=team)
