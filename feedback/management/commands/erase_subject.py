"""Erase what is held about a person."""

import sys
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from feedback.services.erasures import erase_subject
from feedback.services.subjects import holdings
from mlplatform.management.base import TenantCommand
from registry.services.models import find_model


class Command(TenantCommand):
    """Counts, and with ``--yes`` erases."""

    help = "Tell what is held about a person and, with --yes, erase the predictions and outcomes."
    example = "python manage.py erase_subject --tenant clinic --entity patient-17 --yes"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add whom it concerns."""
        parser.add_argument(
            "--entity", required=True, metavar="KEY", help="The person's key; - reads it from the input."
        )
        parser.add_argument("--model", metavar="NAME", help="Only this model; all where left out.")
        parser.add_argument("--yes", action="store_true", help="Erase. Without it nothing is changed.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Count or erase."""
        key = sys.stdin.readline() if options["entity"] == "-" else options["entity"]
        model = find_model(options["model"]) if options["model"] else None
        if not options["yes"]:
            found = holdings(key=key, model=model, by=self.actor)
            return {**asdict(found), "erased": False, "to_erase": "Run it again with --yes."}
        done = erase_subject(key=key, model=model, by=self.actor, on_progress=self._tell)
        return {
            "entity": done.entity,
            "predictions": done.predictions,
            "outcomes": done.outcomes,
            "traces": done.traces,
            "erased": True,
        }

    def _tell(self, removed: int) -> None:
        self.stderr.write(f"{removed:,} predictions removed")
