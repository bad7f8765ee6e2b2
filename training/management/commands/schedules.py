"""List, make and change retraining schedules."""

from argparse import ArgumentParser
from collections.abc import Callable
from typing import Any

from mlplatform.management.base import TenantCommand
from registry.services.models import find_model
from training.models import OnSourceFailure, RetrainingSchedule
from training.services.schedules import (
    create_schedule,
    delete_schedule,
    find_schedule,
    next_runs,
    pause_schedule,
    resume_schedule,
    schedules_overview,
)
from training.services.sources import find_source
from training.tasks import submit_schedule


class Command(TenantCommand):
    """``manage.py schedules``."""

    help = "List the retraining schedules, make one, or pause, resume, run or delete one."
    example = (
        "python manage.py schedules --tenant north-clinic\n"
        '  python manage.py schedules --tenant clinic --create nightly --model tumours --cron "0 3 * * *"\n'
        "  python manage.py schedules --tenant north-clinic --pause 4"
    )

    def add_options(self, parser: ArgumentParser) -> None:
        """Add one option for each thing to do, and the times of a new schedule."""
        what = parser.add_mutually_exclusive_group()
        what.add_argument("--create", metavar="NAME", help="Make a schedule for --model.")
        for name in ACTIONS:
            what.add_argument(f"--{name}", type=int, metavar="ID", help=f"{name.capitalize()} this schedule.")
        what.add_argument("--delete", type=int, metavar="ID", help="Delete this schedule.")
        parser.add_argument("--model", help="The model's name.")
        parser.add_argument("--cron", default="", help="minute hour day-of-month month day-of-week.")
        parser.add_argument("--every", type=int, metavar="N", help="Every so many units, in place of --cron.")
        parser.add_argument("--unit", default="hours", help="minutes, hours or days.")
        parser.add_argument("--source", type=int, metavar="ID", help="Rows come from this data source.")
        parser.add_argument(
            "--on-source-failure", choices=OnSourceFailure.values, default=OnSourceFailure.FAIL
        )
        parser.add_argument("--timezone", default="UTC", help="For example Europe/Berlin.")

    def run_for_tenant(self, **options: Any) -> Any:
        """Do what was asked and return the schedule, or all of them."""
        if options["create"] is not None:
            return described(self.create(options))
        if options["delete"] is not None:
            delete_schedule(schedule=find_schedule(options["delete"]), by=self.actor)
            return {"deleted": options["delete"]}
        for name, act in ACTIONS.items():
            if options[name] is not None:
                act(schedule=find_schedule(options[name]), by=self.actor)
                return described(find_schedule(options[name]))
        return [described(schedule) for schedule in schedules_overview()]

    def show(self, result: Any) -> None:
        """Print schedules as a table, with the first of the next runs only."""
        if isinstance(result, list):
            result = [{**row, "next_runs": next(iter(row["next_runs"]), None)} for row in result]
        super().show(result)

    def create(self, options: dict[str, Any]) -> RetrainingSchedule:
        """Make the schedule; without --every the times are a cron line."""
        interval = options["every"] is not None
        return create_schedule(
            model=find_model(options["model"] or ""),
            name=options["create"],
            kind="interval" if interval else "cron",
            cron="" if interval else options["cron"],
            every=options["every"],
            unit=options["unit"] if interval else "",
            timezone=options["timezone"],
            source=find_source(options["source"]) if options["source"] is not None else None,
            on_source_failure=options["on_source_failure"],
            by=self.actor,
        )


ACTIONS: dict[str, Callable[..., object]] = {
    "pause": pause_schedule,
    "resume": resume_schedule,
    "run": submit_schedule,
}


def described(schedule: RetrainingSchedule) -> dict[str, Any]:
    """Return the schedule as the command prints it."""
    times = schedule.cron or f"every {schedule.every} {schedule.unit}"
    return {
        "id": schedule.pk,
        "name": schedule.name,
        "model": schedule.model.name,
        "times": f"{times} ({schedule.timezone})",
        "source": schedule.source.name if schedule.source else None,
        "enabled": schedule.enabled,
        "next_runs": next_runs(schedule),
        "last_fired_at": schedule.last_fired_at,
        "last_result": schedule.last_result,
    }
