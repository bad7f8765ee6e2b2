"""Reports that go out by mail, from the command line."""

from argparse import ArgumentParser
from typing import Any

from mlplatform.management.base import TenantCommand
from monitoring.models import ReportSchedule
from monitoring.models.report_schedule import ReportFiles, Rhythm
from monitoring.services.report_schedules import (
    create_report_schedule,
    delete_report_schedule,
    find_report_schedule,
    schedules_of_reports,
    update_report_schedule,
)
from monitoring.tasks import submit_report
from registry.services.models import find_model

PLAIN = ("rhythm", "hour", "files", "recipients")


class Command(TenantCommand):
    """``manage.py report_schedules``."""

    help = "List the reports that go out by mail, write one down, change, switch, send or delete one."
    example = (
        "python manage.py report_schedules --tenant clinic --create Committee --model diagnosis "
        "--rhythm quarterly --recipients ada@clinic.example\n"
        "  python manage.py report_schedules --tenant clinic --send 2"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do, and what a schedule is made of."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--create", metavar="NAME", help="Write a schedule down.")
        for name, told in (
            ("show", "Show this schedule."),
            ("update", "Change it by the options below."),
            ("enable", "Switch it on."),
            ("disable", "Switch it off."),
            ("send", "Have the last period's report sent now."),
            ("delete", "Send it no more."),
        ):
            what.add_argument(f"--{name}", type=int, metavar="ID", help=told)
        parser.add_argument("--model", metavar="NAME", help="Report on this model; else on the whole tenant.")
        parser.add_argument("--rhythm", choices=Rhythm.values, help="How often (monthly).")
        parser.add_argument("--hour", type=int, help="Of the first day after, in the tenant's zone (7).")
        parser.add_argument("--files", choices=ReportFiles.values, help="What is attached (pdf).")
        parser.add_argument(
            "--recipients", nargs="*", metavar="ADDRESS", help="Members; none for the administrators."
        )

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked and return the schedule, or all of them."""
        given = {name: options[name] for name in PLAIN if options[name] is not None}
        if options["model"] is not None:
            given["model"] = find_model(options["model"])
        if options["create"] is not None:
            return _line(create_report_schedule(name=options["create"], by=self.actor, **given))
        for name in ("show", "update", "enable", "disable", "send", "delete"):
            if options[name] is not None:
                return self._done(name, find_report_schedule(options[name]), given)
        return [_line(one) for one in schedules_of_reports()]

    def _done(self, name: str, schedule: ReportSchedule, given: dict[str, Any]) -> dict[str, Any]:
        match name:
            case "update":
                schedule = update_report_schedule(schedule=schedule, changes=given, by=self.actor)
            case "enable" | "disable":
                changes = {"enabled": name == "enable"}
                schedule = update_report_schedule(schedule=schedule, changes=changes, by=self.actor)
            case "send":
                schedule = submit_report(schedule=schedule, by=self.actor)
            case "delete":
                pk = schedule.pk
                delete_report_schedule(schedule=schedule, by=self.actor)
                return {"deleted": pk}
        return _line(schedule)


def _line(schedule: ReportSchedule) -> dict[str, Any]:
    return {
        "id": schedule.pk,
        "name": schedule.name,
        "report_on": schedule.model.name if schedule.model else "the whole tenant",
        "rhythm": schedule.rhythm,
        "hour": schedule.hour,
        "files": schedule.files,
        "recipients": schedule.recipients,
        "enabled": schedule.enabled,
        "next": schedule.next_try_at,
        "last_sent": schedule.last_sent_at,
        "last_error": schedule.last_error or None,
    }
