"""One version as a file for other programs."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.management.files import new_file
from registry.services.models import find_model
from registry.services.version_export import ExportFormat, export_version
from registry.services.versions import find_version


class Command(TenantCommand):
    """Writes a version as skops, ONNX or an MLflow model folder."""

    help = "Write one version as skops, as ONNX, or as a zip of the model folder that MLflow opens."
    example = (
        "python manage.py export_version --tenant clinic --model diagnosis --number 3 --format onnx "
        "--to diagnosis.onnx"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the version, the format and the file."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--number", type=int, required=True, help="The version's number.")
        parser.add_argument("--format", choices=[one.value for one in ExportFormat], default="skops")
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="The file to write.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Export; raises Conflict where the file exists or cannot be written."""
        version = find_version(find_model(options["model"]), options["number"])
        with new_file(options["to"]) as file:
            done = export_version(version=version, form=options["format"], by=self.actor)
            file.write(done.data)
        return {
            "version": str(version),
            "format": options["format"],
            "file": str(options["to"]),
            "bytes": len(done.data),
        }
