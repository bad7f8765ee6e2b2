"""Answer many rows by the workers."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from registry.inference.bounds import DEFAULT_COVERAGE
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.management.following_batches import check_folder, follow_batch, write_answers
from training.models import FileForm, OnBadRow
from training.services.batch_options import MOST_REASONS, Options, parsed_options
from training.services.batches import told
from training.services.sources import find_source
from training.tasks import submit_batch


class Command(TenantCommand):
    """``manage.py batch_predict``."""

    help = (
        "Have the workers answer every row of a file, a dataset or a source; any number of rows. With "
        "--output the command waits and writes the answers there. For small files there is 'predict'."
    )
    example = (
        "python manage.py batch_predict --tenant clinic --model diagnosis --input year.csv --output out.csv\n"
        "  python manage.py batch_predict --tenant clinic --model diagnosis --source 3 --format parquet"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the rows, the version, and what stands in the file of answers."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        rows = parser.add_mutually_exclusive_group(required=True)
        rows.add_argument("--input", type=Path, metavar="FILE", help="CSV, Parquet or JSON Lines.")
        rows.add_argument("--dataset", type=int, metavar="ID", help="A dataset in place of a file.")
        rows.add_argument("--source", type=int, metavar="ID", help="A data source in place of a file.")
        version = parser.add_mutually_exclusive_group()
        version.add_argument("--number", type=int, help="The version; the champion by default.")
        version.add_argument("--alias", help="An alias of the version, for example challenger.")
        parser.add_argument("--output", type=Path, metavar="FILE", help="Wait, and write the answers there.")
        parser.add_argument(
            "--format", choices=FileForm.values, help="Of the answers; by the output's ending, else csv."
        )
        parser.add_argument("--keep", nargs="+", default=[], metavar="COLUMN", help="Columns to keep.")
        parser.add_argument("--keep-all", action="store_true", help="Keep every column of the input.")
        parser.add_argument("--key", metavar="COLUMN", help="The column with your names for the cases.")
        parser.add_argument("--no-probabilities", action="store_true", help="Write the answers alone.")
        parser.add_argument(
            "--reasons", type=int, default=0, metavar="N", help=f"Top reasons, up to {MOST_REASONS}."
        )
        parser.add_argument("--intervals", action="store_true", help="Write what holds the truth so often.")
        parser.add_argument(
            "--coverage", type=float, metavar="SHARE", help=f"Of --intervals ({DEFAULT_COVERAGE})."
        )
        parser.add_argument(
            "--on-bad-row", choices=OnBadRow.values, default=OnBadRow.FAIL, help="fail (default) or skip."
        )
        parser.add_argument(
            "--log", action="store_true", help="Write the answers to the prediction log, too."
        )
        parser.add_argument("--wait", action="store_true", help="Show progress until the batch ends.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Queue the batch; with --output or --wait exit with 1 where it does not succeed."""
        output: Path | None = options["output"]
        if output is not None:
            check_folder(output)
        dataset, source = options["dataset"], options["source"]
        job = submit_batch(
            model=find_model(options["model"]),
            by=self.actor,
            options=_options(options),
            file=options["input"],
            filename=options["input"].name if options["input"] else "",
            dataset=None if dataset is None else find_dataset(dataset),
            source=None if source is None else find_source(source),
            number=options["number"],
            alias=options["alias"],
            form=options["format"] or _form(output),
            on_bad_row=options["on_bad_row"],
        )
        if output is None and not options["wait"]:
            return told(job)
        job = follow_batch(job)
        return told(job) | (write_answers(job, output, by=self.actor) if output else {})


def _form(output: Path | None) -> str:
    ending = output.suffix.lower().removeprefix(".") if output else ""
    return ending if ending in FileForm.values else FileForm.CSV


def _options(options: dict[str, Any]) -> Options:
    coverage = options["coverage"]
    if coverage is not None and not options["intervals"]:
        raise CommandError("--coverage says nothing without --intervals.")
    if options["intervals"] and coverage is None:
        coverage = DEFAULT_COVERAGE
    return parsed_options(
        keep=options["keep"],
        keep_all=options["keep_all"],
        key=options["key"],
        probabilities=not options["no_probabilities"],
        reasons=options["reasons"],
        coverage=coverage,
        log=options["log"],
    )
