"""What was recorded of a model, and how things stood at a moment of it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True)
class Span:
    """Something that went on from ``begins`` until ``ends``; None where it has not ended."""

    begins: datetime
    ends: datetime | None

    def holds(self, at: datetime) -> bool:
        """Tell whether it went on at the moment."""
        return self.begins <= at and (self.ends is None or at < self.ends)


@dataclass(frozen=True)
class AlertSpan(Span):
    """An alert from its raising to its end; ``watches`` is drift, performance, or something else."""

    pk: int
    watches: str
    title: str


@dataclass(frozen=True)
class Reign:
    """A version that became the champion at ``since``; ``baseline`` is its hold-out's primary metric."""

    since: datetime
    version: int
    baseline: float | None


@dataclass(frozen=True)
class Measured:
    """The primary metric of a version over its window, as a check measured it at ``at``."""

    at: datetime
    version: int
    value: float
    labelled: int


@dataclass(frozen=True)
class Trained:
    """A version that was there from ``ready`` on, trained on what was known at ``data_at``."""

    data_at: datetime
    ready: datetime
    version: int | None  # None for one that a replay supposes


@dataclass(frozen=True)
class Counts:
    """How many came when: ``moments`` in ascending order, with the number that came at each."""

    moments: Sequence[datetime] = ()
    numbers: Sequence[int] = ()

    def between(self, after: datetime | None, until: datetime) -> int:
        """Return how many came in (after, until]."""
        start = 0 if after is None else bisect_right(self.moments, after)
        return sum(self.numbers[start : bisect_right(self.moments, until)])


@dataclass(frozen=True)
class History:
    """What is recorded of a model, each part in the order of time.

    ``jobs`` are training jobs that wait or run, ``retrainings`` those that the policy started. ``learns`` is
    what it learns from: outcomes, or the rows asked where it has no target.
    """

    metric: str
    higher_is_better: bool
    learns: str
    reigns: tuple[Reign, ...] = ()
    alerts: tuple[AlertSpan, ...] = ()
    measured: tuple[Measured, ...] = ()
    trained: tuple[Trained, ...] = ()
    jobs: tuple[Span, ...] = ()
    retrainings: tuple[Span, ...] = ()
    outcomes: Counts = field(default_factory=Counts)
    rows: Counts = field(default_factory=Counts)


@dataclass(frozen=True)
class Situation:
    """How things stood at ``at``: all that a decision looks at.

    ``fresh_since`` is when the newest version's data were taken; outcomes and rows since then are new.
    ``started`` are the policy's retrainings so far, the newest last.
    """

    at: datetime
    metric: str
    higher_is_better: bool
    learns: str
    champion: Reign | None
    newest: Trained | None
    alerts: tuple[AlertSpan, ...]
    measured: Measured | None
    new_outcomes: int
    new_rows: int
    retraining: bool
    job_active: bool
    started: tuple[datetime, ...]

    @property
    def new_data(self) -> int:
        """How much has come in that the newest version did not know."""
        return self.new_outcomes if self.learns == "outcomes" else self.new_rows


def situation_at(history: History, at: datetime) -> Situation:
    """Return how things stood at the moment, by what was recorded until then."""
    reigns = [one for one in history.reigns if one.since <= at]
    champion = reigns[-1] if reigns else None
    ready = [one for one in history.trained if one.ready <= at]
    newest = ready[-1] if ready else None
    fresh_since = newest.data_at if newest else None
    return Situation(
        at=at,
        metric=history.metric,
        higher_is_better=history.higher_is_better,
        learns=history.learns,
        champion=champion,
        newest=newest,
        alerts=tuple(one for one in reversed(history.alerts) if one.holds(at)),
        measured=_measured(history, champion, at),
        new_outcomes=history.outcomes.between(fresh_since, at),
        new_rows=history.rows.between(fresh_since, at),
        retraining=any(one.holds(at) for one in history.retrainings),
        job_active=any(one.holds(at) for one in history.jobs),
        started=tuple(one.begins for one in history.retrainings if one.begins <= at),
    )


def _measured(history: History, champion: Reign | None, at: datetime) -> Measured | None:
    """Return what the last check said of the champion's present time; an earlier one says nothing of it."""
    if champion is None:
        return None
    of_it = [
        one for one in history.measured if one.version == champion.version and champion.since <= one.at <= at
    ]
    return of_it[-1] if of_it else None
