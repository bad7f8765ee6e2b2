"""The page on which people say what a dataset's columns are."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.widgets import INPUT_CLASSES, SELECT_CLASSES

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.tenancy.actors import Actor
from registry.models import Dataset
from registry.services.schemas import LONGEST, edit_columns
from registry.tabular.schema import ColumnType

MOST_COLUMNS = 300  # three fields each
TYPES = {
    ColumnType.numeric: "Number",
    ColumnType.integer: "Whole number",
    ColumnType.boolean: "Yes or no",
    ColumnType.category: "Category",
    ColumnType.text: "Free text",
    ColumnType.date: "Date",
    ColumnType.identifier: "Identifier (not learnt from)",
    ColumnType.ignored: "Ignored (not learnt from)",
}
KEYS = ("type", "unit", "description")
INTRO = (
    "What the platform guessed, and what you know better. The content stays as it is: the next training uses "
    "what you say here, and each version keeps what it was trained with."
)


class ColumnWidget(forms.MultiWidget):
    """Type, unit and description beside each other."""

    def __init__(self, name: str) -> None:
        super().__init__(
            [
                forms.Select(
                    attrs=_attributes(SELECT_CLASSES, f"Type of {name}"), choices=list(TYPES.items())
                ),
                _text("unit", f"Unit of {name}", "Unit, such as EUR"),
                _text("description", f"Description of {name}", "What it tells"),
            ]
        )

    def decompress(self, value: Any) -> list[Any]:
        """Return the three values."""
        return list(value or ["", "", ""])

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        """Return the three in the grid that all columns share."""
        return format_html('<div class="c-columns">{}</div>', super().render(*args, **kwargs))


class ColumnField(forms.MultiValueField):
    """What is said of one column."""

    def __init__(self, name: str) -> None:
        fields = (
            forms.ChoiceField(choices=list(TYPES.items())),
            forms.CharField(max_length=LONGEST["unit"], required=False),
            forms.CharField(max_length=LONGEST["description"], required=False),
        )
        super().__init__(fields, label=name, widget=ColumnWidget(name), require_all_fields=False)

    def compress(self, data_list: list[Any]) -> list[Any]:
        """Return type, unit and description."""
        return list(data_list)


class SchemaForm(ConsoleForm):
    """A line for each column."""

    def __init__(self, *args: Any, dataset: Dataset, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.known = {f"column-{place}": column for place, column in enumerate(dataset.columns)}
        for field, column in self.known.items():
            self.fields[field] = ColumnField(column["name"])
            self.fields[field].initial = [column.get(key, "") for key in KEYS]

    def changes(self) -> dict[str, dict[str, str]]:
        """Return what was changed, by column."""
        found = {}
        for field, column in self.known.items():
            sent = dict(zip(KEYS, self.cleaned_data[field] or [], strict=False))
            new = {key: value for key, value in sent.items() if value != column.get(key, "")}
            if new:
                found[column["name"]] = new
        return found


def schema_page(page_admin: PlatformModelAdmin, request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Show what is known of the columns, then keep what was changed."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        changes = form.changes()
        if changes:
            edit_columns(dataset=dataset, changes=changes, by=by)
        return page_admin.done(request, f"{len(changes)} of {len(form.known)} columns were changed.", dataset)

    form = bound(SchemaForm, request, dataset=dataset)
    page = FormPage(f"Columns of {dataset}", "Save", intro=INTRO)
    return page_admin.form_page(request, page=page, form=form, submit=submit, row=dataset)


def _text(key: str, label: str, hint: str) -> forms.TextInput:
    return forms.TextInput(
        attrs=_attributes(INPUT_CLASSES, label) | {"maxlength": LONGEST[key], "placeholder": hint}
    )


def _attributes(classes: Any, label: str) -> dict[str, Any]:
    return {"class": " ".join(classes), "aria-label": label}
