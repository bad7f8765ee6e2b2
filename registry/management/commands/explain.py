"""Tell why a model answers as it does."""

import json
from argparse import ArgumentParser
from typing import Any
from uuid import UUID

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from registry.services.explaining import explain_prediction, explain_sent_row, explain_version
from registry.services.explanations import Explained
from registry.services.models import find_model


class Command(TenantCommand):
    """Explains a row, a logged answer, or the model on the whole."""

    help = "Tell what moves a model's answers: on the whole, for one row, or for an answer of the log."
    example = "python manage.py explain --tenant north-clinic --model tumours"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to explain."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        one = parser.add_mutually_exclusive_group()
        one.add_argument("--row", metavar="JSON", help='A row to explain, such as {"age": 52}.')
        one.add_argument("--prediction", type=UUID, metavar="ID", help="A logged answer; leaves its entry.")
        parser.add_argument("--number", type=int, help="The version; the champion by default.")
        parser.add_argument("--label", metavar="CLASS", help="The class to explain.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Explain, and return the effects, the largest first."""
        return self._explained(options).data

    def _explained(self, options: dict[str, Any]) -> Explained:
        model = find_model(options["model"])
        how = {"version": options["number"], "label": options["label"]}
        if options["prediction"] is None:
            if options["row"] is None:
                return explain_version(model=model, **how)
            return explain_sent_row(model=model, row=_row(options["row"]), **how)
        if any(how.values()):
            raise CommandError("--prediction names its version and class: leave --number and --label out.")
        return explain_prediction(pk=options["prediction"], by=self.actor, model=model)


def _row(text: str) -> dict[str, Any]:
    try:
        row = json.loads(text)
    except ValueError as error:
        raise CommandError(f"--row is not JSON: {error}.") from error
    if not isinstance(row, dict):
        raise CommandError('--row is an object of values by column, such as {"age": 52}.')
    return row
