"""Stretches of time that people and programs ask about."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from mlplatform.errors import InvalidInput
from monitoring.services.windows import LOOK_BACK, hour_of

MOST_STEPS = 60
STEPS = tuple(timedelta(hours=hours) for hours in (1, 3, 6, 12, 24, 72, 168, 720))


@dataclass(frozen=True)
class Period:
    """The hours that begin in [since, until)."""

    since: datetime
    until: datetime

    @property
    def step(self) -> timedelta:
        """The width of a trend's steps, whole hours or days, so that there are at most about 60."""
        length = self.until - self.since
        return next((step for step in STEPS if length / step <= MOST_STEPS), STEPS[-1])

    def place(self, moment: datetime) -> int:
        """Return in which step the moment lies, from 0."""
        return (moment - self.since) // self.step

    def begins(self, place: int) -> datetime:
        """Return when the step begins."""
        return self.since + place * self.step

    @property
    def before(self) -> "Period":
        """The period of the same length just before."""
        return Period(self.since - (self.until - self.since), self.since)


def period_of(since: datetime | None = None, until: datetime | None = None) -> Period:
    """Return the period, by default up to now and of seven days; it begins with the hour of ``since``.

    Raises InvalidInput for a period that ends before it begins.
    """
    # The rows of one request are stamped a microsecond apart, so the last ones may lie a moment ahead.
    end = until or timezone.now() + timedelta(microseconds=settings.MAX_PREDICTION_ROWS)
    if since is not None and since >= end:
        wrong = "The period ends before it begins. Let since be earlier than until."
        raise InvalidInput(wrong, fields={"since": [wrong]})
    try:
        start = since or end - LOOK_BACK
    except OverflowError:
        later = "No predictions are that old. Name a later moment."
        raise InvalidInput(later, fields={"until": [later]}) from None
    return Period(hour_of(start), end)
