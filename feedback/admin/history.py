"""Imported histories: past predictions, with what came of them."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from unfold.contrib.filters.admin import RelatedDropdownFilter

from feedback.models import HistoryImport
from feedback.services.past import PastResult, import_past
from feedback.services.past_rows import columns_in
from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command, FormPage
from mlplatform.admin.forms import ConsoleForm, bound
from mlplatform.admin.links import list_url
from mlplatform.admin.parts import Button, Facts, Section, Table
from mlplatform.admin.site import console
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.permissions import Capability, demand
from registry.models import RegisteredModel

MOST_SHOWN = 200


class PastForm(ConsoleForm):
    """A file of past predictions."""

    model = forms.ModelChoiceField(queryset=RegisteredModel.objects.all(), empty_label=None)
    file = forms.FileField(
        help_text="CSV, JSON Lines (*.jsonl) or Parquet with the model's features, predicted_at and "
        "prediction; where they are known probability (or p_<class> for each class), outcome, observed_at, "
        "entity_key."
    )
    version = forms.IntegerField(
        required=False, min_value=1, help_text="Of rows that name none. Left empty: the champion."
    )
    columns = forms.CharField(
        required=False,
        max_length=2_000,
        label="Other names of columns",
        help_text="Where the file calls them otherwise, such as predicted_at=time, prediction=answer.",
    )
    partial = forms.BooleanField(
        required=False, label="Import the good rows even if others are wrong", help_text="Else all or none."
    )


def past_sections(result: PastResult, *, preview: bool) -> list[Section]:
    """Return what came of a file, and which rows were left out."""
    verb = "would be" if preview else "were"
    counts = Facts(
        "What would come of it" if preview else "What came of it",
        [
            ("Rows in the file", result.lines),
            (f"Predictions that {verb} added", result.predictions),
            (f"Outcomes that {verb} added", result.outcomes),
            ("Rows that are known already", result.repeated),
            (f"Rows that {verb} refused", result.refused),
            ("Oldest prediction", result.first_at),
            ("Newest prediction", result.last_at),
        ],
        wide=True,
        note="This very file was imported before." if result.known_file else "",
    )
    shown = result.errors[:MOST_SHOWN]
    refused = Table(
        "Refused rows",
        ["Row", "Why"],
        [[row["line"], row["message"]] for row in shown],
        empty="None.",
        note="Rows are counted from 1 below the header."
        + (f" These are the first {MOST_SHOWN}." if result.refused > MOST_SHOWN else ""),
    )
    return [counts, refused]


@admin.register(HistoryImport, site=console)
class HistoryImportAdmin(PlatformModelAdmin):
    """Files of past predictions that came in."""

    list_display = [
        cell("imported_at", "Imported"),
        cell("name", "File"),
        cell("model", "Model"),
        cell("predictions", "Predictions"),
        cell("outcomes", "Outcomes"),
        cell("first_at", "From"),
        cell("last_at", "To"),
        cell("imported_by", "By"),
    ]
    list_select_related = ["model"]
    list_filter = [("model", RelatedDropdownFilter)]
    list_commands = (Command("import-file", "Import past predictions", Capability.FEEDBACK, "history"),)
    empty_title = "No history yet"
    empty_hint = "Past predictions with their outcomes give a new model a baseline from its first day."

    def sections(self, request: HttpRequest, row: HistoryImport) -> Iterable[Section | None]:
        """Return what the file held."""
        yield Facts(
            "Imported history",
            [
                ("File", row.name),
                ("Model", row.model),
                ("Rows in the file", row.lines),
                ("Predictions added", row.predictions),
                ("Outcomes added", row.outcomes),
                ("Rows known already", row.repeated),
                ("Rows refused", row.refused),
                ("Oldest prediction", row.first_at),
                ("Newest prediction", row.last_at),
                ("Imported", row.imported_at),
                ("By", row.imported_by),
                ("SHA-256", row.content_hash),
            ],
            wide=True,
        )

    def import_file(self, request: HttpRequest) -> HttpResponse:
        """Take a file of past predictions, or tell what would come of it."""
        form, preview = bound(PastForm, request), "preview" in request.POST
        page = FormPage(
            "Import past predictions",
            "Import",
            intro="One row for each prediction that was made elsewhere or before. They count in quality and "
            "drift by their own time, and not as traffic. A preview stores nothing; choose the file again "
            "to import it.",
            second=("preview", "Preview"),
        )

        def submit(data: Mapping[str, Any], by: Actor) -> HttpResponse:
            why = "You may not add history to this model."
            demand(request.user, Capability.FEEDBACK, why, data["model"])
            result = import_past(
                model=data["model"],
                file=data["file"],
                name=data["file"].name,
                by=by,
                version=data["version"],
                columns=columns_in(data["columns"]),
                partial=data["partial"],
                preview=preview,
            )
            sections = past_sections(result, preview=preview)
            if preview:
                return self.show_form(request, page=replace(page, sections=sections), form=form)
            back = [Button("All imported histories", list_url(self.opts.label_lower), "arrow_back")]
            return self.render(
                request, "admin/pages/object.html", title="Imported", sections=sections, buttons=back
            )

        return self.form_page(request, page=page, form=form, submit=submit)
