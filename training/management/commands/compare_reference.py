"""Hold the platform's own implementations against scikit-learn's."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.evaluation.against_library import KINDS
from training.services.references import compare_with_library


class Command(TenantCommand):
    """Compares on a dataset; keeps nothing."""

    help = "Hold our logistic regression or decision tree against scikit-learn's on a dataset; keeps nothing."
    example = "python manage.py compare_reference --tenant clinic --model tumours --dataset 3"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to compare, and on what."""
        parser.add_argument("--model", required=True, help="The model's name.")
        parser.add_argument("--dataset", required=True, type=int, help="The dataset's number.")
        parser.add_argument("--kind", default=KINDS[0], choices=KINDS, help="Which of both.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Return a row for each side."""
        found = compare_with_library(
            model=find_model(options["model"]),
            dataset=find_dataset(options["dataset"]),
            kind=options["kind"],
        )
        return [
            {
                "implementation": side.name,
                **side.scores,
                "fit_seconds": round(side.fit_seconds, 4),
                "predict_seconds": round(side.predict_seconds, 6),
                **side.size,
                "agreement": found.agreement,
            }
            for side in (found.ours, found.theirs)
        ]
