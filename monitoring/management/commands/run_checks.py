"""Check deployed models from the command line."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.tasks import submit_checks
from registry.models import Alias, RegisteredModel
from registry.models.deployment import CHAMPION
from registry.services.models import find_model


class Command(TenantCommand):
    """Checks quality and drift, raises alerts, and lets the retraining policy decide."""

    help = "Check deployed models: quality, drift, alerts, and whether to retrain."
    example = "python manage.py run_checks --tenant north-clinic --model diagnosis"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model."""
        parser.add_argument("--model", help="The model's name; without it every deployed model is checked.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Check, and return one row per model."""
        return [self._check(found) for found in _chosen(options["model"])]

    def _check(self, model: RegisteredModel) -> dict[str, Any]:
        result = submit_checks(model=model, by=self.actor)
        return {
            "model": model.name,
            "version": result.version.number,
            "notes": " ".join(result.notes),
            "alerts_raised": len(result.raised),
            "decision": result.decision.state if result.decision else None,
        }


def _chosen(name: str | None) -> list[RegisteredModel]:
    with tenant_transaction():
        if name is not None:
            return [find_model(name)]
        deployed = Alias.objects.filter(name=CHAMPION).values("model_id")
        return list(RegisteredModel.objects.filter(pk__in=deployed))
