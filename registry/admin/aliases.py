"""Aliases on a model's page, and the page that sets them."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.extensions import model_sections
from mlplatform.admin.forms import ConsoleForm, ReasonForm, bound
from mlplatform.admin.parts import Table
from mlplatform.tenancy.actors import Actor
from registry.admin.words import version_link
from registry.models import ModelVersion, RegisteredModel
from registry.services.aliases import LONGEST_NAME, aliases_of, remove_alias, set_alias
from registry.services.listings import versions_overview
from registry.services.versions import find_version


class AliasForm(ReasonForm):
    """A name, where it points to, and why."""

    alias = forms.CharField(
        max_length=LONGEST_NAME, help_text="For example challenger, or trial. The champion is promoted."
    )
    version = forms.TypedChoiceField(
        coerce=int, required=False, empty_value=None, help_text="None takes the name off."
    )
    field_order = ("alias", "version", "reason")

    def __init__(self, *args: Any, versions: list[ModelVersion], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [("", "None"), *((one.number, f"v{one.number}") for one in versions)]
        self.fields["version"].choices = choices  # type: ignore[attr-defined]  # a choice field


def alias_page(page_admin: PlatformModelAdmin, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Ask for the name and the version, then set it, or take it off."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        name, number, reason = data["alias"], data["version"], data["reason"]
        if number is None:
            remove_alias(model=model, name=name, by=by, reason=reason)
            return page_admin.done(request, f"{name} is taken off.", model)
        set_alias(model=model, name=name, version=find_version(model, number), by=by, reason=reason)
        return page_admin.done(request, f"{name} points to v{number}.", model)

    form: ConsoleForm = bound(AliasForm, request, versions=list(versions_overview(model)[:200]))
    intro = "Programs can ask for a version by such a name. No gate is run: the champion answers on."
    page = FormPage(f"Aliases of {model}", "Save", intro=intro, sections=[aliases_table(model)])
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=model)


def aliases_table(model: RegisteredModel) -> Table:
    """Return the names that point to versions."""
    rows = [[one.name, version_link(one.version), one.updated_at] for one in aliases_of(model)]
    return Table("Aliases", ["Name", "Version", "Since"], rows, empty="None yet.", wide=False)


model_sections.at(15)(aliases_table)
