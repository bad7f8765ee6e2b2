"""Apply marks of personal columns to what is logged already."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from monitoring.services.log_treatment import treat_log
from registry.models import RegisteredModel
from registry.services.models import find_model


class Command(TenantCommand):
    """Treats the logs of models."""

    help = "Apply the marks of personal columns to what was logged before, and pseudonymise cases."
    example = "python manage.py treat_log --tenant clinic --model diagnosis"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model."""
        parser.add_argument("--model", metavar="NAME", help="The model's name; all models where left out.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Treat, and return one row per model."""
        name = options["model"]
        models = [find_model(name)] if name else list(RegisteredModel.objects.order_by("name"))
        return [self._treat(model) for model in models]

    def _treat(self, model: RegisteredModel) -> dict[str, Any]:
        done = treat_log(model=model, by=self.actor, on_progress=self._tell)
        return {"model": model.name, "predictions": done.predictions, "drift_results": done.drift_results}

    def _tell(self, seen: int) -> None:
        self.stderr.write(f"{seen:,} rows")
