"""What a policy would have done: its decisions over recorded history, by the functions that decide live."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from statistics import median
from typing import Any

from monitoring.deciding.history import History, Span, Trained, situation_at
from monitoring.deciding.retraining import Call, Judgement, judge
from monitoring.deciding.terms import Terms

STEP = timedelta(hours=1)


@dataclass(frozen=True)
class Decided:
    """A decision at ``at``, None as code where it retrains; the same one until ``last`` is told once."""

    at: datetime
    last: datetime
    call: Call
    code: str | None
    sentence: str
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Replay:
    """The decisions in [since, until], the first one first; ``looks`` is how often was looked."""

    since: datetime
    until: datetime
    looks: int
    decisions: tuple[Decided, ...]

    @property
    def retrainings(self) -> int:
        """How often it would have retrained."""
        return sum(one.code is None for one in self.decisions)


def replay(
    terms: Terms, history: History, *, since: datetime, until: datetime, took: timedelta | None = None
) -> Replay:
    """Let the policy decide at each hour of [since, until], and whenever an alert was raised.

    Retrainings that the recorded policy started in that time are left out, with what they trained: those of
    this one take their place, each taken to last ``took`` and to end in a version. All else (alerts, quality,
    outcomes, jobs of people and schedules) stays as it was recorded.
    """
    world = _without_policy(history, since)
    decisions: list[Decided] = []
    looked = 0
    for at in _moments(world, since, until):
        looked += 1
        judgement = judge(terms, situation_at(world, at))
        if judgement.call is None:
            continue
        _add(decisions, at, judgement.call, judgement)
        if judgement.retrain:
            world = _retrained(world, at, at + (took or timedelta(0)))
    return Replay(since, until, looked, tuple(decisions))


def usual_duration(spans: Iterable[Span]) -> timedelta:
    """Return the median duration of those that have ended; nothing where none has."""
    ended = [(one.ends - one.begins).total_seconds() for one in spans if one.ends is not None]
    return timedelta(seconds=median(ended)) if ended else timedelta(0)


def _moments(history: History, since: datetime, until: datetime) -> Sequence[datetime]:
    hours = int((until - since) / STEP)
    ticks = [since + number * STEP for number in range(hours + 1)]
    raised = [one.begins for one in history.alerts if since <= one.begins <= until]
    return sorted({*ticks, *raised, until})


def _without_policy(history: History, since: datetime) -> History:
    """Return the history without what the recorded policy did from ``since`` on."""
    dropped = [one for one in history.retrainings if one.begins >= since]
    own = {one.version for one in history.trained if _is_of(one, dropped)}
    return replace(
        history,
        retrainings=tuple(one for one in history.retrainings if one.begins < since),
        trained=tuple(one for one in history.trained if one.version not in own),
        jobs=tuple(one for one in history.jobs if not any(_began_with(one.begins, span) for span in dropped)),
    )


def _is_of(trained: Trained, dropped: Sequence[Span]) -> bool:
    return any(_began_with(trained.data_at, span) for span in dropped)


def _began_with(moment: datetime, span: Span) -> bool:
    """Tell whether a job belongs to a retraining: it is made right after the decision."""
    return span.begins <= moment <= span.begins + timedelta(minutes=10)


def _retrained(history: History, at: datetime, ready: datetime) -> History:
    return replace(
        history,
        retrainings=(*history.retrainings, Span(at, ready)),
        trained=tuple(sorted((*history.trained, Trained(at, ready, None)), key=lambda one: one.ready)),
    )


def _add(decisions: list[Decided], at: datetime, call: Call, judgement: Judgement) -> None:
    """Note the decision; one that says what the last one said is not told again, as in the live record."""
    refusal = judgement.refusal
    code = refusal.code if refusal else None
    sentence = refusal.sentence if refusal else f"{call.sentence}; it retrains."
    last = decisions[-1] if decisions else None
    if last is not None and code is not None and _same(last, call, code):
        decisions[-1] = replace(last, last=at)
    else:
        decisions.append(Decided(at, at, call, code, sentence, judgement.numbers))


def _same(last: Decided, call: Call, code: str) -> bool:
    return (last.call.cause, last.call.alert, last.code) == (call.cause, call.alert, code)
