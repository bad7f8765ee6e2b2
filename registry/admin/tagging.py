"""The page on which tags are written, and the one that tells what ran when."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import page_url
from mlplatform.admin.parts import Facts
from mlplatform.errors import PlatformError
from mlplatform.tenancy.actors import Actor
from registry.models import ModelVersion, RegisteredModel
from registry.services.past import deployment_at
from registry.services.tags import change_tags


class TagsForm(ConsoleForm):
    """Tags, a line each."""

    tags = forms.CharField(
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
        help_text="One a line, name = value, for example team = risk. Search for them by tags.team.",
    )

    def clean_tags(self) -> dict[str, str]:
        """Return the tags by name."""
        pairs = [line.partition("=") for line in self.cleaned_data["tags"].splitlines() if line.strip()]
        if wrong := next((name for name, sign, _ in pairs if not sign), None):
            raise forms.ValidationError(f"{wrong[:60]!r} has no value. Write name = value.")
        return {name.strip(): value.strip() for name, _, value in pairs}


class MomentForm(ConsoleForm):
    """A moment, in UTC."""

    at = forms.SplitDateTimeField(
        label="Day and time (UTC)", widget=UnfoldAdminSplitDateTimeWidget, help_text="What ran then?"
    )


def tags_shown(row: RegisteredModel | ModelVersion) -> list[str]:
    """Return the tags as people read them."""
    return [f"{name} = {value}" for name, value in row.tags.items()]


def tags_page(
    page_admin: PlatformModelAdmin, request: HttpRequest, row: RegisteredModel | ModelVersion
) -> HttpResponse:
    """Show the tags as lines, and keep what becomes of them."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        gone = dict.fromkeys(set(row.tags) - set(data["tags"]))
        change_tags(target=row, changes={**gone, **data["tags"]}, by=by)
        return page_admin.done(request, "The tags were saved.", row)

    lines = "\n".join(tags_shown(row))
    page = FormPage(f"Tags of {row}", "Save tags", intro="Words by which people and programs find it.")
    form = bound(TagsForm, request, initial={"tags": lines})
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=row)


def past_page(page_admin: PlatformModelAdmin, request: HttpRequest, model: RegisteredModel) -> HttpResponse:
    """Ask for a moment, and tell what was champion then, who moved it there, and why."""
    form = bound(MomentForm, request)
    found = []
    if request.method == "POST" and form.is_valid():
        try:
            found = [_told(model, form.cleaned_data["at"].replace(tzinfo=UTC))]
        except PlatformError as error:
            form.refuse(error)
    page = FormPage(f"What ran for {model}?", "Tell", sections=found)
    cancel = page_url(model)
    return page_admin.render(request, "admin/pages/form.html", model, page=page, form=form, cancel=cancel)


def _told(model: RegisteredModel, moment: datetime) -> Facts:
    deployment = deployment_at(model, moment)
    return Facts(
        f"Champion on {moment:%Y-%m-%d at %H:%M} UTC",
        [
            ("Champion", deployment.version),
            ("Since", deployment.created_at),
            ("By", deployment.actor),
            ("Why", deployment.reason),
            ("Instead of", deployment.previous),
            ("The change", deployment),
        ],
        wide=True,
    )
