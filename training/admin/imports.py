"""The page that imports data."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin
from mlplatform.admin.commands import FormPage
from mlplatform.admin.extensions import dataset_import
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.tenancy.actors import Actor
from registry.services.personal import personal_columns
from training.services.datasets import import_file


class NamesField(forms.CharField):
    """Names of columns, one to a line."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(required=False, widget=forms.Textarea(attrs={"rows": 2}), **kwargs)

    def clean(self, value: Any) -> list[str]:
        """Return the names."""
        lines = (line.strip() for line in super().clean(value).splitlines())
        return [line for line in lines if line]


class ImportForm(ConsoleForm):
    """A file and the name to keep it under."""

    name = forms.CharField(max_length=100, help_text="What the rows are, for example Biopsies 2026.")
    file = forms.FileField(
        help_text="CSV with a header line, Parquet, JSON Lines or Excel (.xlsx); at least 20 rows. "
        "The content decides, not the name."
    )
    sheet = forms.CharField(
        max_length=100, required=False, help_text="Of an Excel workbook; its first one where left out."
    )
    pseudonymise = NamesField(
        label="Personal columns: keep pseudonyms",
        help_text="One name to a line. Models learn from them; all else keeps a pseudonym of each value.",
    )
    drop = NamesField(
        label="Personal columns: leave out",
        help_text="One name to a line. Models learn from them; nothing of them is kept anywhere else.",
    )


@dataset_import.at(10)
def import_page(page_admin: PlatformModelAdmin, request: HttpRequest) -> HttpResponse:
    """Take a file and freeze it."""

    def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
        upload = data["file"]
        personal = personal_columns(pseudonymise=data["pseudonymise"], drop=data["drop"])
        dataset, new = import_file(
            name=data["name"],
            file=upload,
            filename=upload.name,
            by=by,
            personal=personal,
            sheet=data["sheet"],
        )
        if new:
            return page_admin.done(request, f"{dataset.name} is frozen: {dataset.rows:,} rows.", dataset)
        return page_admin.done(request, "The same content was here already; this is its page.", dataset)

    page = FormPage(
        "Import data", "Import", intro="The file is checked, profiled and frozen under its SHA-256."
    )
    return page_admin.form_page(request, page=page, form=bound(ImportForm, request), submit=submit)
