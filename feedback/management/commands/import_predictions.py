"""Import past predictions, with their outcomes, from a file."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from feedback.errors import UnreadableFeedbackFile
from feedback.services.past import import_past
from feedback.services.past_rows import COLUMNS, columns_in
from mlplatform.management.base import TenantCommand
from registry.services.models import find_model


class Command(TenantCommand):
    """Reads CSV, JSON Lines or Parquet, a past prediction in each line."""

    help = (
        "Import past predictions of a model from a CSV file, JSON Lines (*.jsonl) or Parquet (*.parquet): "
        "its features, predicted_at and prediction; probability (or p_<class>), score, outcome, "
        "observed_at, entity_key and version where they are known. A line that comes again adds nothing."
    )
    example = "python manage.py import_predictions --tenant north-clinic churn history.csv --partial"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the file, and what its columns are called."""
        parser.add_argument("model", help="The model's name.")
        parser.add_argument("file", type=Path, help="The file; its ending says what it is.")
        parser.add_argument(
            "--model-version",
            type=int,
            dest="number",
            help="The version of lines that name none; else the champion.",
        )
        parser.add_argument(
            "--column",
            action="append",
            default=[],
            metavar="WHAT=COLUMN",
            help=f"Which column tells what, where it has another name. What: {', '.join(COLUMNS)}.",
        )
        parser.add_argument(
            "--partial", action="store_true", help="Import the good lines where some are wrong."
        )
        parser.add_argument(
            "--preview", action="store_true", help="Import nothing; tell what would come of it."
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Import, and return what came of it."""
        file: Path = options["file"]
        model = find_model(options["model"])
        columns = columns_in(",".join(options["column"]))
        try:
            with file.open("rb") as opened:
                result = import_past(
                    model=model,
                    file=opened,
                    name=file.name,
                    by=self.actor,
                    version=options["number"],
                    columns=columns,
                    partial=options["partial"],
                    preview=options["preview"],
                )
        except OSError as error:
            raise UnreadableFeedbackFile(f"{file} cannot be opened: {error.strerror}.") from error
        return asdict(result)
