"""Whether a rollback is due."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from monitoring.services.rollback_check import auto_rollback_check, roll_back_if_due
from registry.services.models import find_model


class Command(TenantCommand):
    """Tells whether the champion is proven to be worse than it may be, and rolls back where asked to."""

    help = "Tell whether the outcomes prove that the champion is worse than it may be; --act rolls back then."
    example = "python manage.py auto_rollback_check --tenant clinic --model diagnosis --act"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, and whether to act."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--act", action="store_true", help="Roll back where it is due.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Check, act where asked to, and return what was found."""
        model = find_model(options["model"])
        found = auto_rollback_check(model)
        told = {
            "model": model.name,
            "version": found.version.number,
            "due": found.due,
            "to": found.to.number if found.to else None,
            "why": found.sentence,
        }
        if not (options["act"] and found.due):
            return told
        deployment = roll_back_if_due(model=model, by=self.actor)
        return told | {"champion": deployment.version.number}
