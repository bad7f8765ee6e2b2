"""Start a training job, and follow it where asked."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.datasets import find_dataset
from registry.services.models import find_model
from training.management.following import described, follow
from training.management.training_options import add_training_options, config_of
from training.services.sources import find_source
from training.tasks import submit_job


class Command(TenantCommand):
    """``manage.py train``."""

    help = "Train a model on a dataset. A worker does the work; --wait follows it."
    example = (
        "python manage.py train --tenant north-clinic --model tumours --dataset 3 --algorithm random_forest"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to train, on what and how."""
        add_training_options(parser)
        parser.add_argument("--wait", action="store_true", help="Show progress until the job ends.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Queue the job; with --wait exit with 1 where it does not succeed."""
        job = submit_job(
            model=find_model(options["model"]),
            dataset=None if options["dataset"] is None else find_dataset(options["dataset"]),
            source=None if options["source"] is None else find_source(options["source"]),
            on_source_failure=options["on_source_failure"],
            config=config_of(options),
            priority=options["priority"],
            by=self.actor,
        )
        if options["wait"]:
            job = follow(job)
        return described(job)
