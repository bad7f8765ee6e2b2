"""Everything of one tenant as one file."""

from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.management.files import new_file
from registry.services.tenant_export import export_tenant


class Command(TenantCommand):
    """Writes a tenant's archive."""

    help = (
        "Write everything of a tenant (rows, files, audit trail) to a zip of JSON Lines and files, as it is "
        "at one moment, while everything goes on running. The archive is not encrypted: keep it well."
    )
    example = "python manage.py export_tenant --tenant clinic --to clinic.zip"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="The archive to write.")

    def run_for_tenant(self, **options: Any) -> dict[str, Any]:
        """Export; raises Conflict where the file exists or cannot be written."""
        path: Path = options["to"]
        with new_file(path) as file:
            done = export_tenant(target=file, by=self.actor, say=self.stderr.write)
        return {**asdict(done), "file": str(path), "bytes": path.stat().st_size}
