"""Promote a version to champion."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.models import find_model
from registry.services.promotion import promote
from registry.services.versions import find_version


class Command(TenantCommand):
    """Makes a version the champion where it passes its gates."""

    help = "Make a version the champion: it answers from the next request on."
    example = 'python manage.py promote --tenant clinic --model diagnosis --number 2 --reason "better recall"'

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the version and the reason."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--number", type=int, required=True, help="The version's number.")
        parser.add_argument("--reason", default="", help="Why; kept in the history.")
        parser.add_argument("--override", action="store_true", help="Pass over failed gates; needs a reason.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Promote, and return what runs now with each gate's verdict."""
        model = find_model(options["model"])
        deployment = promote(
            model=model,
            version=find_version(model, options["number"]),
            reason=options["reason"],
            override=options["override"],
            by=self.actor,
        )
        return {
            "model": model.name,
            "champion": deployment.version.number,
            "previous": deployment.previous.number if deployment.previous else None,
            "gates": {gate["title"]: gate["detail"] for gate in deployment.gates},
        }
