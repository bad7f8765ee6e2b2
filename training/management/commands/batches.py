"""List batch jobs, and show, follow, cancel or fetch one."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from training.management.following_batches import follow_batch, write_answers
from training.models import BatchJob
from training.services.batches import cancel_batch, find_batch, told

NEWEST = 30
ACTIONS = {
    "show": "Show this batch.",
    "follow": "Show the progress of this batch until it ends.",
    "cancel": "End this batch; nothing of it is kept.",
    "download": "Write the answers of this batch to --output.",
}


class Command(TenantCommand):
    """``manage.py batches``."""

    help = "List the newest batch jobs, or show, follow or cancel one, or fetch its answers."
    example = (
        "python manage.py batches --tenant clinic\n"
        "  python manage.py batches --tenant clinic --download 12 --output answers.csv"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do."""
        what = parser.add_mutually_exclusive_group()
        for name, help_text in ACTIONS.items():
            what.add_argument(f"--{name}", type=int, metavar="ID", help=help_text)
        parser.add_argument("--output", type=Path, metavar="FILE", help="Of --download: where to.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked and return the batch, or the newest ones."""
        asked = next((name for name in ACTIONS if options[name] is not None), None)
        if (asked == "download") != (options["output"] is not None):
            raise CommandError("--download and --output belong together.")
        if asked is None:
            return [told(job) for job in BatchJob.objects.select_related("model", "version")[:NEWEST]]
        job = find_batch(options[asked])
        if asked == "cancel":
            return told(cancel_batch(job=job, by=self.actor))
        if asked == "follow":
            job = follow_batch(job)
        if asked == "download":
            return told(job) | write_answers(job, options["output"], by=self.actor)
        return told(job)
