"""The report on a model, or on the whole tenant, over any days."""

from argparse import ArgumentParser
from datetime import date
from pathlib import Path
from typing import Any

from mlplatform.errors import InvalidInput
from mlplatform.management.base import TenantCommand
from mlplatform.management.files import new_file
from monitoring.services.report_days import report_days
from monitoring.services.report_files import ReportForm, report_data, report_file
from monitoring.services.reports import make_report
from registry.services.models import find_model


class Command(TenantCommand):
    """``manage.py report``."""

    help = (
        "Write the report on a model, or without one on the whole tenant: performance, drift, data, "
        "fairness, alerts, deployments, retraining, oversight. That it was made stands in the audit trail."
    )
    example = (
        "python manage.py report --tenant clinic diagnosis --from 2026-07-01 --to 2026-09-30 --format pdf "
        "--out diagnosis.pdf\n"
        "  python manage.py report --tenant clinic --json"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add the model, the days, the form and the file."""
        parser.add_argument("model", nargs="?", metavar="MODEL", help="The model; none for the tenant.")
        parser.add_argument(
            "--from", dest="since", metavar="DAY", help="The first day, in the tenant's time zone."
        )
        parser.add_argument("--to", dest="until", metavar="DAY", help="The last day; today by default.")
        parser.add_argument("--format", choices=list(ReportForm), help="By default as the file's name ends.")
        parser.add_argument("--out", type=Path, metavar="FILE", help="The file to write, which must be new.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Write the file, or return the verdict; with --json the whole report."""
        model = find_model(options["model"]) if options["model"] else None
        path: Path | None = options["out"]
        form = options["format"] or (path.suffix[1:].lower() if path else "")
        if path is not None and form not in set(ReportForm):
            raise InvalidInput(f"Say what it is to be with --format: {' or '.join(ReportForm)}.")
        if path is None and options["format"]:
            raise InvalidInput("Name the file to write with --out.")
        days = report_days(_day(options["since"]), _day(options["until"]))
        report = make_report(days=days, by=self.actor, form=form or "command", model=model, trail=True)
        if path is not None:
            with new_file(path) as file:
                file.write(report_file(report, form).content)
            return {"report": report.content.title, "file": str(path), "content_hash": report.digest}
        if options["json"]:
            return report_data(report, days, model)
        return {
            "report": report.content.title,
            "in short": " ".join(report.content.verdict),
            "content_hash": report.digest,
        }


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{str(text)[:40]!r} is no day. Write it as in 2026-01-31.") from error
