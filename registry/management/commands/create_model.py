"""Register a model."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.models.registered_model import ProblemKind
from registry.services.models import create_model


class Command(TenantCommand):
    """Registers a model, which can then be trained."""

    help = "Register a model: the column to predict, under the name that programs will ask."
    example = (
        "python manage.py create_model --tenant clinic --name tumours --target kind --problem classification"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what the model is."""
        parser.add_argument("--name", required=True, help="Lower-case letters, digits and hyphens.")
        parser.add_argument("--target", required=True, metavar="COLUMN", help="The column to predict.")
        parser.add_argument("--problem", required=True, choices=ProblemKind.values, help="The problem type.")
        parser.add_argument("--description", default="", help="What it is for, and who answers for it.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Register the model and return it."""
        model = create_model(
            name=options["name"],
            target=options["target"],
            problem_type=options["problem"],
            description=options["description"],
            by=self.actor,
        )
        return {"model": model.name, "target": model.target, "problem": model.problem_type}
