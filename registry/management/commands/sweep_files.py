"""Files that no row names, and rows whose file is gone."""

from argparse import ArgumentParser
from dataclasses import asdict
from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from registry.services.orphans import LEFT_FOR, missing_files, sweep_files

HOURS = int(LEFT_FOR.total_seconds() // 3600)


class Command(TenantCommand):
    """Tells, and with ``--yes`` deletes."""

    help = (
        "Tell which stored files no row names, left by work that was killed, and which rows name a file that "
        "is gone. With --yes, delete the former; the platform does so by itself, too, four times a day. A "
        "file whose key is not in the database is never deleted: it is another installation's."
    )
    example = "python manage.py sweep_files --tenant clinic --yes"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add what may be deleted."""
        parser.add_argument("--yes", action="store_true", help="Delete. Without it nothing is changed.")
        parser.add_argument(
            "--left-for",
            type=int,
            default=HOURS,
            metavar="HOURS",
            help="Leave younger files alone: running work may still name them (default: %(default)s).",
        )

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Look, and delete where asked."""
        if options["left_for"] < 1:
            raise InvalidInput("A job that runs now may name its file up to an hour from now: --left-for 1.")
        swept = sweep_files(
            now=timezone.now(),
            by=self.actor,
            left_for=timedelta(hours=options["left_for"]),
            dry_run=not options["yes"],
        )
        done = {**asdict(swept), "files": len(swept.deleted), "missing": missing_files()}
        return (
            done if options["yes"] else {**done, "to_delete": "Nothing was deleted. Run it again with --yes."}
        )
