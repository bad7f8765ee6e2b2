"""Tell what differs between two datasets."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from registry.services.differences import dataset_difference


class Command(TenantCommand):
    """Compares two datasets by their schemas and profiles."""

    help = "Tell what has changed from one dataset to another: rows, columns, gaps, values, distances."
    example = "python manage.py compare_datasets --tenant clinic --before 1 --after 2"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the two."""
        parser.add_argument("--before", type=int, required=True, metavar="NUMBER", help="The earlier one.")
        parser.add_argument("--after", type=int, required=True, metavar="NUMBER", help="The later one.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Return the difference; the distributions themselves are left to API and console."""
        before, after = find_dataset(options["before"]), find_dataset(options["after"])
        found = dataset_difference(before=before, after=after)
        shown = ("type", "distance", "verdict", "missing")
        columns = {one["column"]: {key: one[key] for key in shown} for one in found["columns"]}
        return {**found, "columns": columns}
