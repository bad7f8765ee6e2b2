"""Writing down what a look at something came to, and the last 24 hours of it as a strip of cells."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from monitoring.models.health import HealthSpan, HealthState

EVERY = timedelta(minutes=5)
SHOWN = timedelta(hours=24)
CELLS = SHOWN // EVERY
KEPT = timedelta(hours=48)
LATE = EVERY / 2  # a look that comes so much later is still the next one
GRAVITY = {state: place for place, state in enumerate(HealthState)}
Span = TypeVar("Span", bound=HealthSpan)


@dataclass(frozen=True)
class Finding:
    """One thing that was found: a name for programs, a sentence for people."""

    code: str
    state: HealthState
    words: str


@dataclass(frozen=True)
class Health:
    """What a look came to: the gravest of its findings is the verdict."""

    findings: Sequence[Finding] = ()

    @property
    def state(self) -> HealthState:
        """The verdict."""
        return max(
            (one.state for one in self.findings), key=lambda state: GRAVITY[state], default=HealthState.GOOD
        )

    @property
    def reasons(self) -> list[str]:
        """What was found, by name."""
        return sorted({one.code for one in self.findings})

    @property
    def words(self) -> str:
        """All sentences, the gravest first."""
        return " ".join(one.words for one in sorted(self.findings, key=lambda one: -GRAVITY[one.state]))


@dataclass(frozen=True)
class Cell:
    """Five minutes of a strip; ``state`` is None where nothing was written down."""

    begins: datetime
    state: HealthState | None
    words: str = ""


@dataclass(frozen=True)
class Strip:
    """The last 24 hours of something, oldest cell first; ``now`` is the last look that is not too old."""

    now: HealthSpan | None
    cells: list[Cell] = field(default_factory=list)


def written_down(
    found: Mapping[Any, Health], last: Mapping[Any, Span], at: datetime
) -> tuple[list[tuple[Any, Health]], list[Span]]:
    """Return what begins a stretch of its own, and the stretches that go on, changed but not saved.

    ``last`` is the newest stretch of each thing.
    """
    new, going_on = [], []
    for key, health in found.items():
        span = last.get(key)
        same = span is not None and (span.state, span.reasons) == (health.state, health.reasons)
        if span is not None and same and at - span.ends <= EVERY + LATE:
            span.ends, span.words = at, health.words
            going_on.append(span)
        else:
            new.append((key, health))
    return new, going_on


def fields_of_look(health: Health, at: datetime) -> dict[str, Any]:
    """Return the columns of a stretch that begins with this look."""
    return {
        "state": health.state,
        "reasons": health.reasons,
        "words": health.words,
        "begins": at,
        "ends": at,
    }


def newest(spans: Iterable[Span], key: str) -> dict[Any, Span]:
    """Return the newest stretch of each thing, by the column that names it."""
    found: dict[Any, Span] = {}
    for span in sorted(spans, key=lambda one: one.ends):
        found[getattr(span, key)] = span
    return found


def strip_of(spans: Iterable[HealthSpan], now: datetime) -> Strip:
    """Return the strip of one thing's stretches; of several in five minutes the gravest counts.

    A look vouches for the five minutes after it.
    """
    ordered = sorted(spans, key=lambda one: one.begins)
    begins = now - SHOWN
    cells = [_cell(begins + place * EVERY, begins + (place + 1) * EVERY, ordered) for place in range(CELLS)]
    last = max(ordered, key=lambda one: one.ends, default=None)
    return Strip(last if last is not None and now - last.ends <= 2 * EVERY + LATE else None, cells)


def _cell(begins: datetime, ends: datetime, spans: Sequence[HealthSpan]) -> Cell:
    inside = [one for one in spans if one.begins <= ends and one.ends + EVERY > begins]
    if not inside:
        return Cell(begins, None)
    worst = max(inside, key=lambda one: GRAVITY[HealthState(one.state)])
    return Cell(begins, HealthState(worst.state), worst.words)
