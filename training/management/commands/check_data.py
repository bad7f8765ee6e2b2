"""Check a dataset before training."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.services.checks import as_json, check_for_training


class Command(TenantCommand):
    """Runs the checks that every training begins with."""

    help = "Check whether a dataset is fit to train a model on; trains nothing."
    example = "python manage.py check_data --tenant north-clinic --model tumours --dataset 3"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to look at."""
        parser.add_argument("--model", required=True, help="The model's name.")
        parser.add_argument("--dataset", required=True, type=int, help="The dataset's number.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Return a row per check."""
        model, dataset = find_model(options["model"]), find_dataset(options["dataset"])
        return as_json(check_for_training(model=model, dataset=dataset))
