"""How a model's feedback is labelled and guarded, from the command line."""

from argparse import ArgumentParser, BooleanOptionalAction
from typing import Any

from feedback.services.feedback_settings import (
    COUNTS,
    FIELDS,
    SHARES,
    feedback_settings_of,
    update_feedback_settings,
)
from mlplatform.management.base import TenantCommand
from registry.services.models import find_model


class Command(TenantCommand):
    """Shows a model's settings, and changes what is given."""

    help = "Show or change which rows get a second opinion, and what makes feedback suspicious."
    example = "python manage.py feedback_settings --tenant clinic --model diagnosis --least-labels 500"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model and the settings."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--guard", action=BooleanOptionalAction, help="Set suspicious feedback aside.")
        parser.add_argument(
            "--trusted", action="append", metavar="SENDER", help="A trusted sender; these replace the others."
        )
        for name in SHARES:
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, metavar="NUMBER")
        for name in COUNTS:
            parser.add_argument(f"--{name.replace('_', '-')}", type=int, metavar="COUNT")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Change what was given, and return the settings."""
        model = find_model(options["model"])
        changes = {name: options[name] for name in FIELDS if options[name] is not None}
        if changes:
            update_feedback_settings(model=model, by=self.actor, **changes)
        found = feedback_settings_of(model)
        return {"model": model.name, **{name: getattr(found, name) for name in FIELDS}}
