"""manage.py doctor: what is wrong with this installation, and how to mend it."""

import json
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.table import Table

from mlplatform.doctor.checks import examine
from mlplatform.doctor.findings import Finding
from registry.doctor import named_files


class Command(BaseCommand):
    """Print every finding; exit with 1 where one of them is bad."""

    help = "Tell what is wrong with this installation and how to mend it."
    # A broken installation is what this command is for: nothing may stop it before it starts.
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the machine-readable form, and an example below the options."""
        parser.epilog = "example:\n  python manage.py doctor --json"
        parser.formatter_class = RawDescriptionHelpFormatter
        parser.add_argument("--json", action="store_true", help="Print the findings as JSON.")

    def handle(self, *args: Any, **options: Any) -> None:
        """Examine and print; raises CommandError where something is wrong."""
        findings = examine(named_files)
        bad = [finding for finding in findings if not finding.good]
        if options["json"]:
            report = {"ok": not bad, "findings": [asdict(finding) for finding in findings]}
            self.stdout.write(json.dumps(report, indent=2))
        else:
            self.stdout.write(as_text(findings))
        if bad:
            raise CommandError(f"{len(bad)} of {len(findings)} checks found something wrong: see above.")
        if not options["json"]:
            self.stdout.write("Everything is in order.")


def as_text(findings: list[Finding]) -> str:
    """Return the findings as a table."""
    table = Table(show_edge=False)
    for heading in ("", "Looked at", "Seen", "What to do"):
        table.add_column(heading, overflow="fold")
    for finding in findings:
        table.add_row("ok" if finding.good else "WRONG", finding.check, finding.seen, finding.mend)
    console = Console(width=120)
    with console.capture() as captured:
        console.print(table, markup=False)
    return captured.get()
