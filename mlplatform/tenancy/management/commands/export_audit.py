"""Take the audit trail out."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from mlplatform.management.base import TenantCommand
from mlplatform.tenancy.models import AuditEvent
from mlplatform.tenancy.services.audit_export import ExportFormat, export_trail


class Command(TenantCommand):
    """Exports the audit trail."""

    help = "Write a tenant's audit trail to a file or to the standard output."
    example = "python manage.py export_audit --tenant clinic --format jsonl --output clinic.jsonl"

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the command's options."""
        parser.add_argument(
            "--format", choices=list(ExportFormat), default=ExportFormat.JSONL, help="The file's format."
        )
        parser.add_argument("--output", type=Path, help="The file to write; the standard output if left out.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Export, and return how much was written where it went to a file."""
        export = export_trail(events=AuditEvent.objects.all(), form=options["format"], by=self.actor)
        path: Path | None = options["output"]
        if path is None:
            for line in export.lines:
                self.stdout.write(line, ending="")
            return None
        with path.open("w", encoding="utf-8", newline="") as file:
            file.writelines(export.lines)
        return {"file": str(path), "bytes": path.stat().st_size}
