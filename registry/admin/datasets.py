"""Datasets: looked at, never changed. Importing is a command of the training app, which adds its button."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse

from mlplatform.admin.base import PlatformModelAdmin, cell
from mlplatform.admin.commands import Command
from mlplatform.admin.extensions import dataset_commands, dataset_import
from mlplatform.admin.parts import Badge, Facts, Section, Table
from mlplatform.admin.render import show, size
from mlplatform.admin.site import console
from mlplatform.tenancy.permissions import Capability
from registry.admin.anonymised import anonymity_page
from registry.admin.differences import difference_page
from registry.admin.personal import MOST_COLUMNS, columns_page
from registry.admin.profiles import columns_table, correlations_section
from registry.admin.schemas import MOST_COLUMNS as MOST_DESCRIBED
from registry.admin.schemas import schema_page
from registry.admin.words import version_link
from registry.models import Dataset
from registry.services.personal import dataset_marks, mark_dataset

ORIGINS = {
    "file": "Uploaded file",
    "source": "Data source",
    "retraining": "Retraining: data and known outcomes",
}


def has_few_columns(dataset: Dataset) -> bool:
    """Tell whether a form can hold the columns; the API and the command take any number."""
    return len(dataset.columns) <= MOST_COLUMNS


def has_room_for_schema(dataset: Dataset) -> bool:
    """Tell whether a form can hold three fields for each column."""
    return len(dataset.columns) <= MOST_DESCRIBED


@admin.register(Dataset, site=console)
class DatasetAdmin(PlatformModelAdmin):
    """Frozen snapshots of data."""

    can_add = True
    add_title = "Import data"
    list_display = [
        "name",
        cell("rows", "Rows"),
        "column_count",
        "stored",
        "origin_name",
        cell("created_at", "Frozen"),
    ]
    search_fields = ["name", "content_hash", "created_by"]
    list_filter = ["created_at"]
    commands = (
        Command("difference", "What has changed", Capability.VIEW, "difference"),
        Command("schema", "Describe columns", Capability.DATA, "edit_note", available=has_room_for_schema),
        Command("columns", "Personal columns", Capability.DATA, "shield_person", available=has_few_columns),
        Command("anonymised", "Export anonymised", Capability.DATA, "download", available=has_few_columns),
    )
    empty_title = "No data yet"
    empty_hint = (
        "Upload a CSV, Parquet, JSON Lines or Excel file. It is frozen and hashed, so every model can be "
        "rebuilt from it."
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dataset]:
        """Leave the large profile to the page that shows it."""
        rows: QuerySet[Dataset] = super().get_queryset(request)
        return rows.defer("profile")

    @admin.display(description="Columns")
    def column_count(self, dataset: Dataset) -> str:
        """How many columns there are."""
        return show(len(dataset.columns))

    @admin.display(description="Size", ordering="size_bytes")
    def stored(self, dataset: Dataset) -> str:
        """How large the file is."""
        return size(dataset.size_bytes)

    @admin.display(description="From")
    def origin_name(self, dataset: Dataset) -> str:
        """Where the rows came from."""
        return _origin(dataset.origin)

    def sections(self, request: HttpRequest, row: Dataset) -> Iterable[Section | None]:
        """Return the record, the columns, and what was trained on it."""
        yield Facts(
            row.name,
            [
                ("Rows", row.rows),
                ("Columns", len(row.columns)),
                ("Size", size(row.size_bytes)),
                ("State", None if row.file else Badge("Rows kept no more: import them again", "warn")),
                ("From", _origin(row.origin)),
                ("Made from", row.parent),
                ("Frozen", row.created_at),
                ("By", row.created_by),
                ("SHA-256", row.content_hash),
            ],
            wide=True,
        )
        yield Table(
            "Versions trained on it",
            ["Model", "Version", "Trained"],
            [
                [version.model, version_link(version), version.created_at]
                for version in row.versions.select_related("model").defer(
                    "reference", "evaluation", "importance", "features"
                )
            ],
            empty="None yet. Train a model on it.",
        )
        yield columns_table(row)
        yield correlations_section(row)

    def columns(self, request: HttpRequest, row: Dataset) -> HttpResponse:
        """Mark columns as personal."""
        return columns_page(
            self,
            request,
            row,
            columns=row.columns,
            marks=dataset_marks(row),
            apply=lambda changes, by: mark_dataset(dataset=row, changes=changes, by=by),
        )

    def difference(self, request: HttpRequest, row: Dataset) -> HttpResponse:
        """Tell what has changed since an earlier dataset."""
        return difference_page(self, request, row)

    def schema(self, request: HttpRequest, row: Dataset) -> HttpResponse:
        """Say what the columns are."""
        return schema_page(self, request, row)

    def anonymised(self, request: HttpRequest, row: Dataset) -> HttpResponse:
        """Tell how identifying the data is, or send an anonymised copy."""
        return anonymity_page(self, request, row)

    def all_commands(self) -> Sequence[Command]:
        """Return the own commands, and those that training adds."""
        return [*self.commands, *dataset_commands]

    def add_page(self, request: HttpRequest) -> HttpResponse:
        """Show the page that imports data, which the training app owns."""
        return next(iter(dataset_import))(self, request)


def _origin(origin: Mapping[str, Any]) -> str:
    kind = str(origin.get("kind", ""))
    name = origin.get("filename")
    return f"{ORIGINS.get(kind, kind or 'unknown')}{f': {name}' if name else ''}"
