"""Build a version again from its record, and say whether it answers as before."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.models import find_model
from registry.services.versions import find_version
from training.management.following import described, follow
from training.tasks import submit_reproduction


class Command(TenantCommand):
    """``manage.py reproduce``."""

    help = "Train a version again from its data, settings and seed, and compare the answers of the two."
    example = "python manage.py reproduce --tenant north-clinic --model tumours --number 3 --wait"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add which version."""
        parser.add_argument("--model", required=True, help="The model's name.")
        parser.add_argument("--number", required=True, type=int, help="The version's number.")
        parser.add_argument("--wait", action="store_true", help="Show progress until the verdict is there.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Queue the job that rebuilds the version; with --wait tell its verdict."""
        version = find_version(find_model(options["model"]), options["number"])
        job = submit_reproduction(version=version, by=self.actor)
        return described(follow(job) if options["wait"] else job)
