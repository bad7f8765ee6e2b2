"""A tenant from an archive."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import PlatformCommand
from registry.services.tenant_import import import_tenant


class Command(PlatformCommand):
    """Imports a tenant's archive."""

    help = (
        "Make a tenant of what export_tenant wrote, on this server or another: all of it or nothing. "
        "Numbers, dates and links stay, the audit trail still verifies, schedules come paused, members come "
        "without passwords. An archive that this installation's key did not sign needs --trust: models are "
        "programs."
    )
    example = "python manage.py import_tenant clinic.zip --trust"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("file", type=Path, help="The archive.")
        parser.add_argument("--as", dest="slug", metavar="SLUG", help="Another short name for the tenant.")
        parser.add_argument(
            "--trust",
            action="store_true",
            help="Vouch for another server's models.",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        """Import; raises InvalidInput where there is no such file."""
        try:
            with options["file"].open("rb") as source:
                done = import_tenant(
                    source=source,
                    by=self.actor,
                    slug=options["slug"],
                    trust=options["trust"],
                    say=self.stderr.write,
                )
        except FileNotFoundError as error:
            raise InvalidInput(f"There is no file {options['file']}.") from error
        return asdict(done)
