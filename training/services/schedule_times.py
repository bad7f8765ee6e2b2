"""When a schedule fires: checked lines, the scheduler's own rows, and the next runs it will make of them."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from training.errors import InvalidSchedule
from training.models.schedule import IntervalUnit, ScheduleKind

CRON_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
NUMBER = r"\d{1,2}"
WEEKDAY = r"(?:[0-6]|sun|mon|tue|wed|thu|fri|sat)"


def _list_of(value: str) -> re.Pattern[str]:
    """Return the form of a field: values, ranges and steps, separated by commas."""
    part = rf"(?:\*|{value}(?:-{value})?)(?:/[1-9]\d?)?"
    return re.compile(rf"{part}(?:,{part})*", re.IGNORECASE)


CRON_FORMS = {name: _list_of(WEEKDAY if name == "day_of_week" else NUMBER) for name in CRON_FIELDS}
CRON_HELP = "Write five fields: minute hour day-of-month month day-of-week, for example 0 3 * * 1."
LONGEST_GAP = timedelta(days=5 * 366)
MAX_EVERY = 10_000
NO_PLACES = frozenset({"localtime", "Factory"})  # what the server happens to be set to


@dataclass(frozen=True)
class Timing:
    """When to fire: a cron line in a time zone, or an interval of ``every`` times ``unit``."""

    kind: str
    cron: str = ""
    every: int | None = None
    unit: str = ""
    timezone: str = "UTC"

    def check(self) -> "Timing":
        """Return the timing in canonical form; raises InvalidSchedule naming the field."""
        if self.timezone not in available_timezones() - NO_PLACES:
            raise _wrong("timezone", f"{self.timezone!r} is no time zone. Use a name such as Europe/Berlin.")
        if self.kind == ScheduleKind.INTERVAL:
            return self._checked_interval()
        if self.kind == ScheduleKind.CRON:
            return self._checked_cron()
        raise _wrong("kind", f"{self.kind!r} is no kind of schedule. Use cron or interval.")

    def beat_row(self) -> CrontabSchedule | IntervalSchedule:
        """Return the scheduler's row for these times, not yet saved."""
        if self.kind == ScheduleKind.INTERVAL:
            return IntervalSchedule(every=self.every, period=self.unit)
        fields = dict(zip(CRON_FIELDS, self.cron.split(), strict=True))
        return CrontabSchedule(**fields, timezone=ZoneInfo(self.timezone))

    def _checked_interval(self) -> "Timing":
        if self.unit not in IntervalUnit.values:
            raise _wrong("unit", f"Choose a unit: {', '.join(IntervalUnit.values)}.")
        every = self.every
        if isinstance(every, bool) or not isinstance(every, int) or not 1 <= every <= MAX_EVERY:
            raise _wrong("every", f"Every how many {self.unit}? Give a whole number from 1 to {MAX_EVERY:,}.")
        return Timing(ScheduleKind.INTERVAL, "", every, self.unit, self.timezone)

    def _checked_cron(self) -> "Timing":
        fields = self.cron.split()
        if len(fields) != len(CRON_FIELDS):
            raise _wrong("cron", f"A cron line has 5 fields; this one has {len(fields)}. {CRON_HELP}")
        for name, text in zip(CRON_FIELDS, fields, strict=True):
            if not CRON_FORMS[name].fullmatch(text):
                raise _wrong("cron", f"{text[:20]!r} cannot stand for {name.replace('_', ' ')}. {CRON_HELP}")
        line = Timing(ScheduleKind.CRON, " ".join(fields), None, "", self.timezone)
        line._check_fires()
        return line

    def _check_fires(self) -> None:
        now = datetime.now(UTC)
        try:
            first = following(self.beat_row().schedule, now)
        except (ValueError, RuntimeError) as error:  # what the scheduler's own parser raises
            raise _wrong(
                "cron", f"The cron line {self.cron!r} names no times: {str(error).rstrip('.')}. {CRON_HELP}"
            ) from error
        if first - now > LONGEST_GAP:
            raise _wrong("cron", f"The cron line {self.cron!r} would first fire on {first:%Y-%m-%d}.")


def following(schedule: Any, after: datetime) -> datetime:
    """Return the first time after ``after`` at which the scheduler's own schedule object is due."""
    schedule.nowfun = lambda: after
    found: datetime = (after + schedule.remaining_estimate(after)).astimezone(UTC)
    return found.replace(microsecond=0)


def upcoming(task: PeriodicTask, n: int, now: datetime) -> list[datetime]:
    """Return the next ``n`` times (UTC) at which the scheduler will fire this task."""
    schedule = task.schedule
    if task.interval is None:
        times, moment = [], now
        for _ in range(n):
            moment = following(schedule, moment)
            times.append(moment)
        return times
    step: timedelta = schedule.run_every
    first = (task.last_run_at or task.date_changed) + step
    # What is overdue is fired at the scheduler's next look, and the steps count from there.
    first = max(first, now)
    return [(first + number * step).replace(microsecond=0) for number in range(n)]


def _wrong(field: str, sentence: str) -> InvalidSchedule:
    return InvalidSchedule(sentence, fields={field: [sentence]})
