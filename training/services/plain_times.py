"""Times as people say them, "every Monday at 03:00", and the cron lines that mean the same."""

import re
from dataclasses import dataclass
from datetime import time
from enum import StrEnum

# As a cron line counts them; it calls Sunday 0.
WEEKDAYS = {
    "1": "Monday",
    "2": "Tuesday",
    "3": "Wednesday",
    "4": "Thursday",
    "5": "Friday",
    "6": "Saturday",
    "0": "Sunday",
}
NAMED = {name[:3].lower(): number for number, name in WEEKDAYS.items()}
PLAIN_LINE = re.compile(
    r"(?P<minute>[0-5]?\d) (?P<hour>[01]?\d|2[0-3]) (?P<day>\*|0?[1-9]|[12]\d|3[01]) \* "
    rf"(?P<weekday>\*|[0-6]|{'|'.join(NAMED)})",
    re.IGNORECASE,
)


class Often(StrEnum):
    """How often."""

    daily = "daily"
    weekly = "weekly"
    monthly = "monthly"


@dataclass(frozen=True)
class PlainTimes:
    """Once a day, a week or a month at a time of day; ``weekday`` from "0" (Sunday), ``day`` of the month."""

    often: Often
    at: time
    weekday: str = "1"
    day: int = 1

    def cron(self) -> str:
        """Return the cron line that means the same."""
        day = str(self.day) if self.often is Often.monthly else "*"
        weekday = self.weekday if self.often is Often.weekly else "*"
        return f"{self.at.minute} {self.at.hour} {day} * {weekday}"

    def words(self) -> str:
        """Say it in words."""
        when = {
            Often.daily: "every day",
            Often.weekly: f"every {WEEKDAYS[self.weekday]}",
            Often.monthly: f"on day {self.day} of every month",
        }[self.often]
        return f"{when} at {self.at:%H:%M}"


def plain_times(cron: str) -> PlainTimes | None:
    """Return the cron line as people would say it, None for one that says more than that."""
    found = PLAIN_LINE.fullmatch(cron)
    if found is None:
        return None
    at, day, weekday = time(int(found["hour"]), int(found["minute"])), found["day"], found["weekday"].lower()
    if day != "*" and weekday != "*":  # either of the two: nobody says it like this
        return None
    if day != "*":
        return PlainTimes(Often.monthly, at, day=int(day))
    if weekday != "*":
        return PlainTimes(Often.weekly, at, weekday=NAMED.get(weekday, weekday))
    return PlainTimes(Often.daily, at)


def times_in_words(*, cron: str, every: int | None, unit: str, timezone: str) -> str:
    """Say when a schedule fires: by its cron line where it has one, else every so many units."""
    if not cron:
        return f"every {unit.rstrip('s')}" if every == 1 else f"every {every} {unit}"
    plain = plain_times(cron)
    return f"{plain.words() if plain else f'by the cron line {cron}'} ({timezone})"
