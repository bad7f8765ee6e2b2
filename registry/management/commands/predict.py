"""Predict a file of rows."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import Progress

from mlplatform.management.base import TenantCommand
from registry.inference.bounds import DEFAULT_COVERAGE, LEAST_COVERAGE, MOST_COVERAGE
from registry.inference.files import check_output, read_rows, write_answers
from registry.services.batch import predict_frame
from registry.services.models import find_model
from registry.services.plans import answering_version
from registry.tabular.schema import columns_from_json


class Command(TenantCommand):
    """Answers every row of a file, logs each answer, and writes them to another file."""

    help = "Predict every row of a CSV or Parquet file; no row is asked where one is wrong."
    example = "python manage.py predict --tenant clinic --model diagnosis --input new.csv --output out.csv"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the files, the version and the key column."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument(
            "--input", required=True, type=Path, metavar="FILE", help="Rows: .csv or .parquet."
        )
        parser.add_argument(
            "--output", required=True, type=Path, metavar="FILE", help="Answers: .csv or .parquet."
        )
        parser.add_argument("--number", type=int, help="The version; the champion by default.")
        parser.add_argument("--alias", help="An alias of the version, for example challenger.")
        parser.add_argument(
            "--key-column", metavar="NAME", help="The column with your own names for the cases."
        )
        parser.add_argument(
            "--intervals",
            action="store_true",
            help="Write beside each answer an interval, or the possible classes, that holds the truth.",
        )
        parser.add_argument(
            "--coverage",
            type=float,
            metavar="SHARE",
            help=f"With --intervals: how often they are to hold the truth ({DEFAULT_COVERAGE}).",
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Predict, write the answers, and return how many there are."""
        coverage = _coverage(options)
        check_output(options["output"])
        model = find_model(options["model"])
        version = answering_version(model, options["number"], options["alias"])
        frame = read_rows(options["input"], columns_from_json(version.features))
        with Progress(console=Console(stderr=True), transient=True) as progress:
            bar = progress.add_task("Predicting", total=len(frame))
            answers = predict_frame(
                model=model,
                frame=frame,
                by=self.actor,
                version=version.number,
                key_column=options["key_column"],
                coverage=coverage,
                on_progress=lambda done, total: progress.update(bar, completed=done, total=total),
            )
        write_answers(answers, options["output"])
        return {
            "model": model.name,
            "version": version.number,
            "rows": len(answers),
            "output": str(options["output"]),
        }


def _coverage(options: dict[str, Any]) -> float | None:
    """Return how often intervals are to hold the truth, None where none were asked for."""
    coverage: float | None = options["coverage"]
    if not options["intervals"]:
        if coverage is not None:
            raise CommandError("--coverage says nothing without --intervals.")
        return None
    if coverage is None:
        return DEFAULT_COVERAGE
    if not LEAST_COVERAGE <= coverage <= MOST_COVERAGE:
        raise CommandError(f"--coverage is a number from {LEAST_COVERAGE} to {MOST_COVERAGE}.")
    return coverage
