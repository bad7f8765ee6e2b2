"""Which days a report tells of, in the tenant's own time zone."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.scope import current_tenant
from monitoring.services.periods import Period
from monitoring.services.windows import hour_of

USUAL_DAYS, MOST_DAYS = 30, 1_100
OLD = "No predictions are that old, or that new. Name other days."
FIRST_DAY = date(2000, 1, 1)  # nothing was predicted before
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Days:
    """The days from ``first`` to ``last``, both included, as the clocks of ``zone`` tell them."""

    first: date
    last: date
    zone: str

    @property
    def period(self) -> Period:
        """Their whole hours (UTC); one in which a day begins there belongs to that day."""
        return Period(hour_of(_begins(self.first, self.zone)), hour_of(_begins(self.last + DAY, self.zone)))

    def moment(self, at: datetime) -> str:
        """Return the moment as the clocks there told it."""
        return f"{at.astimezone(ZoneInfo(self.zone)):%Y-%m-%d %H:%M}"

    def contains(self, at: datetime | None) -> bool:
        """Tell whether the moment lies in the days."""
        return at is not None and self.period.since <= at < self.period.until

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


def tenant_zone() -> str:
    """Return the active tenant's time zone."""
    return current_tenant().time_zone or "UTC"


def today_in(zone: str, now: datetime | None = None) -> date:
    """Return which day it is there."""
    return (now or timezone.now()).astimezone(ZoneInfo(zone)).date()


def report_days(first: date | None = None, last: date | None = None) -> Days:
    """Return the days, by default the thirty that end today.

    Raises InvalidInput for days that end before they begin, begin in the future, or are more than 1,100.
    """
    zone = tenant_zone()
    today = today_in(zone)
    end = last or max(first or today, today)
    try:
        start = first or end - (USUAL_DAYS - 1) * DAY
        days = Days(start, end, zone)
        length = (end - start).days + 1
        _ = days.period
    except OverflowError:
        raise _wrong("until", OLD) from None
    if start < FIRST_DAY:
        raise _wrong("since", OLD)
    if length < 1:
        raise _wrong("since", "The report ends before it begins. Let since be no later than until.")
    if start > today:
        raise _wrong("since", "These days are yet to come. Name days that have begun.")
    if length > MOST_DAYS:
        raise _wrong("since", f"A report tells of {MOST_DAYS:,} days at most. Name fewer.")
    return days


def _begins(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, ZoneInfo(zone)).astimezone(UTC)


def _wrong(field: str, words: str) -> InvalidInput:
    return InvalidInput(words, fields={field: [words]})
