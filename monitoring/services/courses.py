"""How measured values went over a period, as pictures."""

from collections.abc import Sequence
from datetime import datetime

from mlplatform.pictures import Axis, Figure, Line, plot
from monitoring.services.periods import Period
from monitoring.statistics.quality import Estimate

HOURS_SHOWN = 3  # days up to which a picture counts hours


def time_axis(period: Period) -> Axis:
    """Return the axis of time: how long before the period's end."""
    days = (period.until - period.since).total_seconds() / 86_400
    unit = "hours" if days <= HOURS_SHOWN else "days"
    length = days * 24 if unit == "hours" else days
    return Axis(f"{unit} before {period.until:%Y-%m-%d %H:%M} UTC", low=-length, high=0.0)


def at(period: Period, moment: datetime) -> float:
    """Return the moment's place on ``time_axis``."""
    seconds = (moment - period.until).total_seconds()
    days = (period.until - period.since).total_seconds() / 86_400
    return seconds / 3600 if days <= HOURS_SHOWN else seconds / 86_400


def course(
    name: str, period: Period, points: Sequence[tuple[datetime, Estimate | None]], *, tone: int | None = None
) -> Line | None:
    """Return a line with its band, in the middle of its steps; None without a value."""
    known = [(at(period, begins + period.step / 2), one) for begins, one in points if one is not None]
    if not known:
        return None
    bands = all(one.low is not None and one.high is not None for _, one in known)
    return Line(
        name,
        [x for x, _ in known],
        [one.value for _, one in known],
        "both",
        [one.low for _, one in known if one.low is not None] if bands else (),
        [one.high for _, one in known if one.high is not None] if bands else (),
        tone,
    )


def over_time(
    title: str,
    lines: Sequence[Line | None],
    period: Period,
    *,
    y: str,
    words: str = "",
    percent: bool = False,
) -> Figure:
    """Return the picture of what was measured step by step."""
    drawn = [line for line in lines if line is not None]
    picture = plot(drawn, x=time_axis(period), y=Axis(y, percent=percent), title=title, description=words)
    return Figure(title, picture, words)


def step_words(period: Period) -> str:
    """Return how long a step of the picture is."""
    hours = round(period.step.total_seconds() / 3600)
    if hours < 24:
        return "an hour" if hours == 1 else f"{hours} hours"
    return "a day" if hours == 24 else f"{hours // 24} days"
