"""List a tenant's models."""

from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.listings import models_overview


class Command(TenantCommand):
    """Lists the models and which version of each answers."""

    help = "List the models, with the number of versions and the champion of each."
    example = "python manage.py list_models --tenant clinic --json"

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Return a row per model."""
        shown = ("name", "problem_type", "target", "version_count", "champion_number", "created_at")
        return list(models_overview().order_by("name").values(*shown))
