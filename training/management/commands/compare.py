"""Put versions and jobs side by side."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any

from django.core.management.base import CommandError

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.scope import tenant_transaction
from registry.services.models import find_model
from registry.services.versions import find_version
from training.pages.side_by_side import comparison_data
from training.services.contenders import find_contenders
from training.services.side_by_side import compare


class Command(TenantCommand):
    """``manage.py compare``."""

    help = "Compare two to five versions or jobs, on rows that none of them was trained on."
    example = "python manage.py compare --tenant north-clinic --model tumours --number 1 --number 2"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to compare."""
        parser.add_argument("--model", metavar="NAME", help="The model of --number.")
        parser.add_argument(
            "--number", type=int, action="append", default=[], help="A version; may be given several times."
        )
        parser.add_argument(
            "--job", type=int, action="append", default=[], help="A job; may be given several times."
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Compare, and return the figures."""
        with tenant_transaction():
            keys = _versions(options["model"], options["number"])
            contenders = find_contenders(versions=keys, jobs=options["job"])
        return comparison_data(compare(contenders))


def _versions(name: str | None, numbers: Sequence[int]) -> list[int]:
    if not numbers:
        return []
    if name is None:
        raise CommandError("--number names a version of a model: add --model NAME.")
    model = find_model(name)
    return [find_version(model, number).pk for number in numbers]
