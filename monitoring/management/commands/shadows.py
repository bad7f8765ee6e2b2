"""How versions in shadow do beside the champion."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.services.shadows import shadow_reports
from registry.gates.figures import ShadowFigures
from registry.services.models import find_model


class Command(TenantCommand):
    """Holds each version in shadow against the champion."""

    help = "Tell how versions in shadow do beside the champion: how often the same, how well, how fast."
    example = "python manage.py shadows --tenant clinic --model diagnosis --days 30"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model and the window."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument(
            "--days", type=int, metavar="DAYS", help="Rows of so many days; by default the champion's last 7."
        )

    def run_for_tenant(self, **options: Any) -> list[dict[str, Any]]:
        """Return a row for each version in shadow."""
        days = options["days"]
        since = None if days is None else timezone.now() - timedelta(days=max(0, min(days, 36_500)))
        with tenant_transaction():
            return [_line(found) for found in shadow_reports(find_model(options["model"]), since)]


def _line(found: ShadowFigures) -> dict[str, Any]:
    seen, times, judged = found.agreement, found.times, found.comparison
    return {
        "version": found.version.number,
        "champion": found.heard.number,
        "rows": found.rows,
        "failed": found.failed,
        "dropped": found.dropped,
        "same": seen and round(seen.share, 4),
        "difference": seen and seen.difference and round(seen.difference, 6),
        "outcomes": found.outcomes,
        found.metric: found.value and round(found.value, 4),
        f"{found.metric}_champion": found.heard_value and round(found.heard_value, 4),
        "not_worse": judged and judged.passed,
        "p95_ms": times and round(times.p95_ms, 3),
        "p95_ms_champion": times and round(times.champion_p95_ms, 3),
    }
