"""Register a model."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.models.registered_model import ProblemKind
from registry.services.datasets import find_dataset
from registry.services.models import create_model


class Command(TenantCommand):
    """Registers a model, which can then be trained."""

    help = "Register a model: what to predict or to look for, under the name that programs will ask."
    example = (
        "python manage.py create_model --tenant clinic --name tumours --target kind --problem classification"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what the model is."""
        parser.add_argument("--name", required=True, help="Lower-case letters, digits and hyphens.")
        parser.add_argument(
            "--target",
            default="",
            metavar="COLUMN",
            help="The column to predict; of anomalies one that marks known ones, or none; of clusters none.",
        )
        parser.add_argument(
            "--problem", default="", choices=ProblemKind.values, help="The problem type; or give --dataset."
        )
        parser.add_argument(
            "--dataset", type=int, help="Read the problem type off the target's values in this dataset."
        )
        parser.add_argument("--description", default="", help="What it is for, and who answers for it.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Register the model and return it."""
        model = create_model(
            name=options["name"],
            target=options["target"],
            problem_type=options["problem"],
            dataset=find_dataset(options["dataset"]) if options["dataset"] else None,
            description=options["description"],
            by=self.actor,
        )
        return {"model": model.name, "target": model.target, "problem": model.problem_type}
