"""Train models again on what was learnt since."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from registry.models import RegisteredModel
from registry.services.models import find_model
from training.models.job import Priority
from training.tasks import submit_retraining


class Command(TenantCommand):
    """``manage.py retrain``."""

    help = "Train models again on their newest data and the outcomes since, with the settings used last."
    example = (
        "python manage.py retrain --tenant north-clinic --model tumours --model relapses\n"
        "  python manage.py retrain --tenant north-clinic --all"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add which models, and how urgent."""
        which = parser.add_mutually_exclusive_group(required=True)
        which.add_argument("--model", action="append", help="A model's name; may be given several times.")
        which.add_argument("--all", action="store_true", help="Every model of the tenant.")
        parser.add_argument("--priority", choices=Priority.values, default=Priority.NORMAL)

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Queue the jobs; exit with 1 where there is none at all."""
        if options["all"]:
            models = list(RegisteredModel.objects.order_by("name"))
        else:
            models = [find_model(name) for name in options["model"]]
        done = submit_retraining(models=models, by=self.actor, priority=options["priority"])
        if not any(one.job for one in done):
            reasons = "; ".join(f"{one.model}: {one.reason}" for one in done)
            raise CommandError(f"Nothing to train. {reasons}".strip())
        return [
            {"model": one.model.name, "job": one.job and one.job.pk, "reason": one.reason} for one in done
        ]
