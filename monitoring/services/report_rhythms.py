"""When a scheduled report is due, and of which days it tells: calendar arithmetic, no rows."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from monitoring.models.report_schedule import Rhythm
from monitoring.services.report_days import DAY, Days

MONTHS = {Rhythm.MONTHLY: 1, Rhythm.QUARTERLY: 3}
# From the first day of one stretch surely into the next one, and never beyond it.
ONWARDS = {Rhythm.WEEKLY: 7 * DAY, Rhythm.MONTHLY: 31 * DAY, Rhythm.QUARTERLY: 95 * DAY}


def begin_of(rhythm: str, day: date) -> date:
    """Return the first day of the week, month or quarter that the day lies in."""
    if rhythm == Rhythm.WEEKLY:
        return day - timedelta(days=day.weekday())
    months = MONTHS[Rhythm(rhythm)]
    return day.replace(month=(day.month - 1) // months * months + 1, day=1)


def last_period(rhythm: str, zone: str, now: datetime) -> Days:
    """Return the week, month or quarter that ended last, as the clocks of the zone tell it."""
    last = begin_of(rhythm, now.astimezone(ZoneInfo(zone)).date()) - DAY
    return Days(begin_of(rhythm, last), last, zone)


def due_next(rhythm: str, hour: int, zone: str, after: datetime) -> datetime:
    """Return the first moment after this one at which a report is due."""
    first = begin_of(rhythm, after.astimezone(ZoneInfo(zone)).date())
    due = _moment(first, hour, zone)
    return due if due > after else _moment(begin_of(rhythm, first + ONWARDS[Rhythm(rhythm)]), hour, zone)


def _moment(day: date, hour: int, zone: str) -> datetime:
    return datetime.combine(day, time(hour), ZoneInfo(zone)).astimezone(UTC)
