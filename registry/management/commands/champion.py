"""What ran when, and who moved it there."""

from argparse import ArgumentParser
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.models.deployment import CHAMPION
from registry.services.models import find_model
from registry.services.past import deployment_at
from registry.services.searching import best_version


class Command(TenantCommand):
    """Tells which version answers, or answered at a time; who put it there, and why."""

    help = "Tell which version of a model answers, or answered at a time, who put it there, and why."
    example = "python manage.py champion --tenant clinic --model diagnosis --at 2026-05-31T12:00:00Z"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the time, and the metric of the best version."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument("--at", metavar="TIME", help="An ISO 8601 time with its zone; now by default.")
        parser.add_argument("--alias", default=CHAMPION, help="Another name than champion.")
        parser.add_argument("--metric", default="", help="Name the best version by this metric as well.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Return what ran, since when, by whom, why; and which version is best."""
        model = find_model(options["model"])
        deployment = deployment_at(model, _moment(options["at"]), options["alias"])
        told = {
            "model": model.name,
            options["alias"]: deployment.version.number,
            "since": deployment.created_at,
            "by": deployment.actor,
            "action": deployment.action,
            "reason": deployment.reason,
            "previous": deployment.previous.number if deployment.previous else None,
        }
        return told | ({"best": best_version(model, options["metric"]).number} if options["metric"] else {})


def _moment(text: str | None) -> Any:
    if not text:
        return timezone.now()
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise InvalidInput(f"{text!r} is no time with a zone. Write it like 2026-05-31T12:00:00Z.")
    return moment
