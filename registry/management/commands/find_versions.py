"""Find versions over all models."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.searching import KNOWN, search_versions
from registry.services.twins import twin_facts


class Command(TenantCommand):
    """Finds versions by names, tags, scores, parameters and data."""

    help = f"Find versions over all models. Fields: {KNOWN}."
    example = "python manage.py find_versions --tenant clinic --query 'metrics.f1 > 0.9 and champion = true'"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the search."""
        parser.add_argument("--query", default="", metavar="SEARCH", help="The search; all by default.")

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Return a row per version."""
        return [
            {
                "model": version.model.name,
                "version": version.number,
                "champion": bool(getattr(version, "is_champion", False)),
                "status": version.status,
                "algorithm": version.algorithm,
                "tags": version.tags,
                "metrics": version.metrics,
                "twin": twin_facts(version),
            }
            for version in search_versions(options["query"])
        ]
