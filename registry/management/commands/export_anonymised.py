"""Take an anonymised copy of a dataset out."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.errors import InvalidChoice
from registry.privacy.release import DEFAULT_K, Choice
from registry.services.anonymised import TableFormat, export_anonymised, measure
from registry.services.datasets import find_dataset


class Command(TenantCommand):
    """Measures how identifying a dataset is, and writes an anonymised copy."""

    help = "Tell how identifying a dataset is and, with --output, write a k-anonymous copy of it."
    example = (
        "python manage.py export_anonymised --tenant clinic --dataset 1 --quasi age postcode "
        "--sensitive diagnosis --output patients.csv"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the dataset, the choice of columns, and the file."""
        parser.add_argument("--dataset", type=int, required=True, metavar="NUMBER", help="Its number.")
        parser.add_argument(
            "--quasi", nargs="+", required=True, metavar="COLUMN", help="What others may know of a person."
        )
        parser.add_argument("--sensitive", metavar="COLUMN", help="What nobody should learn.")
        parser.add_argument("--k", type=int, default=DEFAULT_K, help="Rows that must look alike, at least.")
        parser.add_argument("--leave-out", nargs="+", default=[], metavar="COLUMN", help="Leave these out.")
        parser.add_argument(
            "--output", type=Path, help=f"The file; its ending says the format: {', '.join(TableFormat)}."
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Measure or export, and return the figures."""
        dataset = find_dataset(options["dataset"])
        choice = Choice(
            tuple(options["quasi"]), options["sensitive"], options["k"], tuple(options["leave_out"])
        )
        path: Path | None = options["output"]
        if path is None:
            return measure(dataset=dataset, choice=choice, by=self.actor)
        if not path.parent.is_dir():
            raise InvalidChoice(f"There is no folder {path.parent}. Make it first.")
        form = path.suffix.lower().lstrip(".")
        export, facts = export_anonymised(dataset=dataset, choice=choice, form=form, by=self.actor)
        with path.open("wb") as file:
            file.writelines(export.lines)
        return {"file": str(path), **facts}
