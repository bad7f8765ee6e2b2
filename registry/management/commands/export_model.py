"""A model with all its versions as one file."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.management.files import new_file
from registry.services.model_export import export_model
from registry.services.models import find_model


class Command(TenantCommand):
    """Writes a model's archive."""

    help = (
        "Write a model with all versions, numbers, dates, tags, metrics, history and artefacts to one "
        "signed file. The rows that it was trained on stay here unless --with-data is given: with them the "
        "gates can be run, and versions rebuilt, where it arrives. It is not encrypted: keep it well."
    )
    example = "python manage.py export_model --tenant clinic --model diagnosis --to diagnosis.zip"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the file, and whether the rows leave."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="The archive to write.")
        parser.add_argument("--with-data", action="store_true", help="Take the datasets' rows along.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Export; raises Conflict where the file exists or cannot be written."""
        model = find_model(options["model"])
        with new_file(options["to"]) as file:
            done = export_model(model=model, target=file, by=self.actor, data=options["with_data"])
        return {**asdict(done), "file": str(options["to"]), "bytes": options["to"].stat().st_size}
