"""Freeze a file as a dataset."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.personal import dataset_marks, personal_columns
from training.services.datasets import import_file


class Command(TenantCommand):
    """``manage.py import_dataset``."""

    help = "Freeze a CSV, Parquet, JSON Lines or Excel file as a dataset; the same content is stored once."
    example = "python manage.py import_dataset --tenant north-clinic biopsies.csv --pseudonymise patient"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the file and the name."""
        parser.add_argument("file", type=Path, help="CSV with a header line, Parquet, JSON Lines or .xlsx.")
        parser.add_argument("--sheet", default="", help="Of a workbook; its first one where left out.")
        parser.add_argument(
            "--pseudonymise", nargs="+", default=[], metavar="COLUMN", help="Personal: keep pseudonyms only."
        )
        parser.add_argument(
            "--drop", nargs="+", default=[], metavar="COLUMN", help="Personal: keep nothing beside the file."
        )
        parser.add_argument("--name", help="What to call the dataset; the file's name where left out.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Import and describe what came of it."""
        path: Path = options["file"]
        name = options["name"] or path.stem
        personal = personal_columns(pseudonymise=options["pseudonymise"], drop=options["drop"])
        dataset, created = import_file(
            name=name,
            file=path,
            filename=path.name,
            by=self.actor,
            personal=personal,
            sheet=options["sheet"],
        )
        return {
            "dataset": dataset.pk,
            "name": dataset.name,
            "rows": dataset.rows,
            "columns": len(dataset.columns),
            "personal": dataset_marks(dataset),
            "content_hash": dataset.content_hash,
            "created": created,
        }
