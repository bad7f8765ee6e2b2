"""Mark columns as personal."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from registry.services.personal import dataset_marks, mark_dataset, mark_model, personal_columns


class Command(TenantCommand):
    """Says which columns of a dataset or a model are personal."""

    help = "Mark columns of a dataset or a model as personal, or take marks off."
    example = "python manage.py mark_columns --tenant clinic --dataset 1 --pseudonymise patient --drop street"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what is marked, and how."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--dataset", type=int, metavar="NUMBER", help="The dataset's number.")
        which.add_argument("--model", metavar="NAME", help="The model's name.")
        for option, told in (
            ("--pseudonymise", "Keep pseudonyms of these."),
            ("--drop", "Keep nothing of these beside the dataset's file."),
            ("--not-personal", "Take the mark off these."),
        ):
            parser.add_argument(option, nargs="+", default=[], metavar="COLUMN", help=told)

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Mark, and return all marks."""
        changes = {
            **dict.fromkeys(options["not_personal"]),
            **personal_columns(pseudonymise=options["pseudonymise"], drop=options["drop"]),
        }
        if options["dataset"] is not None:
            found = find_dataset(options["dataset"])
            dataset = mark_dataset(dataset=found, changes=changes, by=self.actor)
            return {"dataset": dataset.pk, "personal": dataset_marks(dataset)}
        model = mark_model(model=find_model(options["model"]), changes=changes, by=self.actor)
        return {"model": model.name, "personal": model.personal}
