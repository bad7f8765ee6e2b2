"""What a policy may do, as plain values."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

BUDGET_DAYS = timedelta(days=30)
VERDICT_ROWS = 30  # outcomes below which nothing is said about quality


class Cause(StrEnum):
    """Which rule of the policy called for it."""

    DRIFT = "drift"
    PERFORMANCE = "performance"
    AGE = "age"
    FEEDBACK = "feedback"
    VOLUME = "volume"
    SCHEDULE = "schedule"


CAUSE_TITLES: dict[Cause, str] = {
    Cause.DRIFT: "Drift",
    Cause.PERFORMANCE: "Lost quality",
    Cause.AGE: "Age",
    Cause.FEEDBACK: "New outcomes",
    Cause.VOLUME: "New rows",
    Cause.SCHEDULE: "Schedule",
}


@dataclass(frozen=True)
class QuietHours:
    """The hours of a day, [begins, ends) in a time zone, in which nothing is started; may span midnight."""

    begins: time
    ends: time
    zone: str

    def hold(self, moment: datetime) -> bool:
        """Tell whether the moment (aware) lies in them."""
        local = moment.astimezone(UTC if self.zone == "UTC" else ZoneInfo(self.zone)).time()
        if self.begins <= self.ends:
            return self.begins <= local < self.ends
        return local >= self.begins or local < self.ends

    def __str__(self) -> str:
        return f"{self.begins:%H:%M} to {self.ends:%H:%M} ({self.zone})"


@dataclass(frozen=True)
class Terms:
    """A policy's rules and limits; a rule that is None is off, and so is a limit.

    ``threshold`` is the value of the primary metric that quality must not be worse than; the usual one
    (``usual_threshold``) holds only where higher is better and the hold-out reached it. ``loss`` is the share
    of the hold-out's value that may be lost. ``budget`` counts retrainings in 30 days.
    """

    enabled: bool
    on_drift: bool
    on_performance: bool
    threshold: float | None
    usual_threshold: bool
    loss: float | None
    max_age: timedelta | None
    feedback: int | None
    volume: int | None
    minimum_new: int
    cooldown: timedelta
    budget: int | None
    quiet: QuietHours | None
