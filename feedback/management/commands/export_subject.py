"""Take out what is held about a person."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from feedback.services.subjects import export_subject
from mlplatform.management.base import TenantCommand
from registry.services.models import find_model


class Command(TenantCommand):
    """Exports a person's predictions and outcomes."""

    help = "Write everything held about a person as JSON, to a file or the standard output."
    example = "python manage.py export_subject --tenant clinic --entity patient-17 --output patient.json"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add whom it concerns, and the file."""
        parser.add_argument(
            "--entity", required=True, metavar="KEY", help="The person's key; - reads it from the input."
        )
        parser.add_argument("--model", metavar="NAME", help="Only this model; all where left out.")
        parser.add_argument("--output", type=Path, help="The file; the standard output where left out.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any] | None:
        """Export, and return how much was written where it went to a file."""
        key = sys.stdin.readline() if options["entity"] == "-" else options["entity"]
        model = find_model(options["model"]) if options["model"] else None
        export = export_subject(key=key, model=model, by=self.actor)
        path: Path | None = options["output"]
        if path is None:
            for part in export.lines:
                self.stdout.write(part, ending="")
            return None
        with path.open("w", encoding="utf-8") as file:
            file.writelines(export.lines)
        return {"file": str(path), "bytes": path.stat().st_size}
