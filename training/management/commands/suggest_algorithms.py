"""Say which algorithms suit a dataset."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.services.suggesting import as_json, suggestions_for


class Command(TenantCommand):
    """Suggests, and trains nothing."""

    help = "Say which algorithms suit a dataset, why, and how long they will take; trains nothing."
    example = "python manage.py suggest_algorithms --tenant north-clinic --model tumours --dataset 3"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to look at."""
        parser.add_argument("--model", required=True, help="The model's name.")
        parser.add_argument("--dataset", required=True, type=int, help="The dataset's number.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Return a row per algorithm; the hints go to the error stream."""
        model, dataset = find_model(options["model"]), find_dataset(options["dataset"])
        found = as_json(*suggestions_for(model=model, dataset=dataset))
        for hint in found["hints"]:
            self.stderr.write(hint)
        rows: list[dict[str, Any]] = found["algorithms"]
        return rows
