"""Freeze a file as a dataset."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from training.services.datasets import import_file


class Command(TenantCommand):
    """``manage.py import_dataset``."""

    help = "Freeze a CSV or Parquet file as a dataset; the same content is stored once."
    example = "python manage.py import_dataset --tenant north-clinic --name biopsies biopsies.csv"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the file and the name."""
        parser.add_argument("file", type=Path, help="A CSV file with a header line, or a Parquet file.")
        parser.add_argument("--name", help="What to call the dataset; the file's name where left out.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Import and describe what came of it."""
        path: Path = options["file"]
        name = options["name"] or path.stem
        dataset, created = import_file(name=name, file=path, filename=path.name, by=self.actor)
        return {
            "dataset": dataset.pk,
            "name": dataset.name,
            "rows": dataset.rows,
            "columns": len(dataset.columns),
            "content_hash": dataset.content_hash,
            "created": created,
        }
