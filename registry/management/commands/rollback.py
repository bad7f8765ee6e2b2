"""Return to an earlier champion."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.models import find_model
from registry.services.promotion import rollback
from registry.services.versions import find_version


class Command(TenantCommand):
    """Makes an earlier champion the champion again."""

    help = "Make the champion before, or the one named, the champion again."
    example = 'python manage.py rollback --tenant clinic --model diagnosis --reason "complaints"'

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the version to return to, and the reason."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument(
            "--to", type=int, metavar="NUMBER", help="The version; the champion before by default."
        )
        parser.add_argument("--reason", default="", help="Why; kept in the history.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Roll back, and return what runs now."""
        model = find_model(options["model"])
        to = None if options["to"] is None else find_version(model, options["to"])
        deployment = rollback(model=model, reason=options["reason"], to=to, by=self.actor)
        previous = deployment.previous.number if deployment.previous else None
        return {"model": model.name, "champion": deployment.version.number, "previous": previous}
