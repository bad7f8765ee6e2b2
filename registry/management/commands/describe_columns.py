"""Say what columns of a dataset mean."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from registry.services.schemas import edit_columns
from registry.tabular.schema import ColumnType


class Command(TenantCommand):
    """Sets type, unit and description of columns; the content stays."""

    help = "Set type, unit or description of columns of a dataset; without any of them, list what is set."
    example = (
        "python manage.py describe_columns --tenant clinic --dataset 1 --columns postcode --type category"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the columns and what is said of them."""
        parser.add_argument("--dataset", type=int, required=True, metavar="NUMBER", help="Its number.")
        parser.add_argument("--columns", nargs="+", default=[], metavar="COLUMN", help="Which ones.")
        parser.add_argument("--type", choices=list(ColumnType), help="What their values are.")
        parser.add_argument("--unit", help="In what they are measured, such as mmol/l.")
        parser.add_argument("--description", help="What they tell, for people.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Change the columns, and return what is known of them."""
        dataset = find_dataset(options["dataset"])
        told = {key: options[key] for key in ("type", "unit", "description") if options[key] is not None}
        if told and options["columns"]:
            changes = dict.fromkeys(options["columns"], told)
            dataset = edit_columns(dataset=dataset, changes=changes, by=self.actor)
        chosen = set(options["columns"]) or {column["name"] for column in dataset.columns}
        shown = ("type", "unit", "description")
        return {
            "dataset": dataset.pk,
            "columns": {
                column["name"]: {key: column.get(key, "") for key in shown}
                for column in dataset.columns
                if column["name"] in chosen
            },
        }
