"""By which rule a model's drift is judged, from the command line."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from monitoring.models.drift import DriftRule
from monitoring.services.drift_settings import FIELDS, drift_settings_of, update_drift_settings
from registry.services.models import find_model

NUMBERS = {
    "false_alarms_a_month": "Of the calibrated rule: how many alarms a month may be false (1).",
    "psi_limit": "Of the classic rule: above it a feature has drifted (0.1).",
    "drift_share": "Of the classic rule: the share of drifted features that is an alarm (0.3).",
}


class Command(TenantCommand):
    """Shows a model's drift settings, and changes what is given."""

    help = "Show or change by which rule a model's drift is judged, and how often it may alarm falsely."
    example = "python manage.py drift_settings --tenant clinic --model diagnosis --false-alarms-a-month 0.5"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the rule and its numbers."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--rule", choices=DriftRule.values)
        for name, told in NUMBERS.items():
            parser.add_argument(f"--{name.replace('_', '-')}", type=float, help=told)

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Change what was given, and return the settings."""
        model = find_model(options["model"])
        changes = {name: options[name] for name in FIELDS if options[name] is not None}
        found = (
            update_drift_settings(model=model, by=self.actor, **changes)
            if changes
            else drift_settings_of(model)
        )
        return {"model": model.name, **{name: getattr(found, name) for name in FIELDS}}
