"""Record outcomes from a file."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from feedback.errors import UnreadableFeedbackFile
from feedback.services.imports import import_outcomes
from mlplatform.management.base import TenantCommand


class Command(TenantCommand):
    """Reads a CSV file with the columns prediction_id and outcome."""

    help = "Record outcomes from a CSV file with the columns prediction_id and outcome."
    example = "python manage.py import_feedback --tenant north-clinic outcomes.csv"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the file and what happens where some rows are wrong."""
        parser.add_argument("file", type=Path, help="The CSV file, in UTF-8.")
        parser.add_argument(
            "--partial", action="store_true", help="Record the good rows where some are wrong."
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Import, and return what was recorded."""
        file: Path = options["file"]
        try:
            with file.open("rb") as opened:
                return asdict(import_outcomes(file=opened, by=self.actor, partial=options["partial"]))
        except OSError as error:
            raise UnreadableFeedbackFile(f"{file} cannot be opened: {error.strerror}.") from error
