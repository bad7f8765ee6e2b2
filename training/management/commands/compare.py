"""Put versions side by side."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.scope import tenant_transaction
from registry.services.models import find_model
from registry.services.versions import find_version
from training.pages.side_by_side import comparison_data
from training.services.side_by_side import compare, find_contenders


class Command(TenantCommand):
    """``manage.py compare``."""

    help = "Compare two to five versions on rows that none of them was trained on, and test the difference."
    example = "python manage.py compare --tenant north-clinic --model tumours --number 1 --number 2"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what to compare."""
        parser.add_argument("--model", required=True, metavar="NAME", help="The model's name.")
        parser.add_argument(
            "--number", type=int, action="append", default=[], help="A version; may be given several times."
        )
        parser.add_argument(
            "--job", type=int, action="append", default=[], help="A job whose version to compare, too."
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Compare, and return the figures."""
        with tenant_transaction():
            model = find_model(options["model"])
            keys = [find_version(model, number).pk for number in options["number"]]
            contenders = find_contenders(versions=keys, jobs=options["job"])
        return comparison_data(compare(contenders))
