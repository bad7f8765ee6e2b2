"""Record outcomes from a file."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from feedback.errors import UnreadableFeedbackFile
from feedback.services.imports import import_outcomes
from feedback.services.outcome_files import form_of
from mlplatform.management.base import TenantCommand


class Command(TenantCommand):
    """Reads CSV or JSON Lines, an outcome in each line."""

    help = (
        "Record outcomes from a CSV file, or JSON Lines (*.jsonl), with the columns prediction_id, or "
        "entity_key and model, and outcome, rating (1 to 5, up, down) or comment; observed_at where it is "
        "known. Outcomes whose prediction is not known wait for it."
    )
    example = "python manage.py import_feedback --tenant north-clinic outcomes.csv"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the file and what happens where some rows are wrong."""
        parser.add_argument("file", type=Path, help="The file, in UTF-8.")
        parser.add_argument("--model", default="", help="The model of entity keys in rows that name none.")
        parser.add_argument(
            "--partial", action="store_true", help="Record the good rows where some are wrong."
        )
        parser.add_argument(
            "--no-hold",
            dest="hold_unknown",
            action="store_false",
            help="Refuse outcomes whose prediction is not known.",
        )
        parser.add_argument(
            "--preview", action="store_true", help="Record nothing; tell what would come of it."
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Import, and return what was recorded."""
        file: Path = options["file"]
        asked = {name: options[name] for name in ("model", "partial", "preview", "hold_unknown")}
        try:
            with file.open("rb") as opened:
                result = import_outcomes(file=opened, form=form_of(file.name), by=self.actor, **asked)
        except OSError as error:
            raise UnreadableFeedbackFile(f"{file} cannot be opened: {error.strerror}.") from error
        return {**asdict(result), "refused": result.refused, "held": result.held}
