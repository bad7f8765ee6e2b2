"""Whether the champion is to be taken back, by evidence that may be looked at as often as one likes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from monitoring.statistics.bounded_means import log_evidence, lower_bound

SLOW_SHARE = 0.05  # so many answers may take longer than the limit: it is a limit of the 95th percentile


class Signal(StrEnum):
    """What a rollback can be due to."""

    QUALITY = "quality"
    LATENCY = "latency"
    CALIBRATION = "calibration"
    ERRORS = "errors"


SIGNAL_TITLES: dict[Signal, str] = {
    Signal.QUALITY: "Quality",
    Signal.LATENCY: "Latency",
    Signal.CALIBRATION: "Calibration",
    Signal.ERRORS: "Errors",
}


@dataclass(frozen=True)
class RollbackTerms:
    """Which signals count, and by how much.

    ``alpha`` is how often, of champions that keep within all limits, one is taken back, ever; it is shared
    out among the signals. Nothing is taken back on fewer than ``minimum`` answers, outcomes or requests, nor
    once the champion has run for longer than ``watched``. ``errors`` is the share of requests that may fail.
    """

    signals: frozenset[Signal]
    alpha: float
    minimum: int
    gap: float
    watched: timedelta
    errors: float = 0.05


@dataclass(frozen=True)
class Hour:
    """What an hour of a champion came to, of the answers given in it.

    ``loss`` is the sum of the errors in [0, 1] of the ``known`` answers; ``sure`` answers came with a
    probability, whose sum is ``said``, and ``right`` of them were right; ``slow`` is the share of answers
    beyond the limit of latency, None without a limit. Of ``asked`` requests that nothing was wrong with,
    ``failed`` were not answered by the version.
    """

    begins: datetime
    rows: int
    known: int
    loss: float
    sure: int
    said: float
    right: float
    slow: float | None
    asked: int = 0
    failed: int = 0


@dataclass(frozen=True)
class Watch:
    """A champion since its promotion; ``tolerated`` is the mean error it may have, None if unknown."""

    since: datetime
    version: int
    tolerated: float | None
    hours: Sequence[Hour] = ()


@dataclass(frozen=True)
class Evidence:
    """One test: the mean of ``count`` observations against its limit, ``rows`` answers behind it."""

    signal: Signal
    what: str
    total: float
    count: int
    rows: int
    limit: float
    alpha: float

    @property
    def log_value(self) -> float:
        """The logarithm of the evidence."""
        return log_evidence(self.total, self.count, self.limit)

    @property
    def proven(self) -> bool:
        """Whether the mean is proven to be above the limit."""
        return self.log_value >= math.log(1 / self.alpha)

    def as_json(self) -> dict[str, Any]:
        """Return the numbers; a value of evidence too large to tell is cut."""
        return {
            "signal": self.signal.value,
            "what": self.what,
            "mean": self.total / self.count if self.count else None,
            "at_least": lower_bound(self.total, self.count, alpha=self.alpha),
            "limit": self.limit,
            "rows": self.rows,
            "evidence": math.exp(min(self.log_value, 50.0)),
            "needed": 1 / self.alpha,
        }


@dataclass(frozen=True)
class RollbackJudgement:
    """What is proven, None where nothing is, and every test that was made."""

    proven: Evidence | None
    tests: list[Evidence] = field(default_factory=list)

    @property
    def sentence(self) -> str:
        """The reason in words."""
        if self.proven is None:
            return "Nothing is proven against the champion."
        found = self.proven.as_json()
        of_what = "requests" if self.proven.signal == Signal.ERRORS else "answers"
        return (
            f"{self.proven.what}: {found['mean']:.3g} over {found['rows']:,} {of_what}, proven to be at "
            f"least {found['at_least']:.3g}; the limit is {found['limit']:.3g}."
        )


def judge_rollback(terms: RollbackTerms, watch: Watch, at: datetime) -> RollbackJudgement:
    """Judge the champion by what is known of its hours up to the moment.

    The order of the hours does not matter, so that outcomes may come late; that whether an outcome comes does
    not depend on whether the answer was wrong is taken for granted.
    """
    if at - watch.since > terms.watched:
        return RollbackJudgement(None)
    tests = _tests(terms, watch, [one for one in watch.hours if one.begins <= at])
    proven = next((one for one in tests if one.proven and one.rows >= terms.minimum), None)
    return RollbackJudgement(proven, tests)


def _tests(terms: RollbackTerms, watch: Watch, hours: Sequence[Hour]) -> list[Evidence]:
    sides = len(terms.signals) + (Signal.CALIBRATION in terms.signals)
    alpha = terms.alpha / max(sides, 1)
    tests: list[Evidence] = []
    if Signal.QUALITY in terms.signals and watch.tolerated is not None:
        known = sum(one.known for one in hours)
        loss = sum(one.loss for one in hours)
        limit = min(max(watch.tolerated, 1e-3), 1 - 1e-3)
        tests.append(Evidence(Signal.QUALITY, "Mean error", loss, known, known, limit, alpha))
    timed = [one for one in hours if one.slow is not None and one.rows]
    if Signal.LATENCY in terms.signals and timed:
        # An hour counts once: the rows of a request share their time, and an hour's load is alike.
        slow, rows = sum(one.slow or 0.0 for one in timed), sum(one.rows for one in timed)
        tests.append(
            Evidence(Signal.LATENCY, "Share of slow answers", slow, len(timed), rows, SLOW_SHARE, alpha)
        )
    if Signal.CALIBRATION in terms.signals:
        tests += _calibration(terms.gap, hours, alpha)
    if Signal.ERRORS in terms.signals:
        asked, failed = sum(one.asked for one in hours), sum(one.failed for one in hours)
        limit = min(max(terms.errors, 1e-3), 1 - 1e-3)
        tests.append(Evidence(Signal.ERRORS, "Share of failed requests", failed, asked, asked, limit, alpha))
    return tests


def _calibration(gap: float, hours: Sequence[Hour], alpha: float) -> list[Evidence]:
    """Test both ways by which what answers say may differ from what happens, on the scale from 0 to 1."""
    sure = sum(one.sure for one in hours)
    over = sum(one.said - one.right for one in hours)
    limit, kind = (1 + gap) / 2, Signal.CALIBRATION
    return [
        Evidence(
            kind, f"{word} (0.5 where there is none)", (sign * over + sure) / 2, sure, sure, limit, alpha
        )
        for word, sign in (("Overconfidence", 1), ("Underconfidence", -1))
    ]


def first_proof(
    terms: RollbackTerms, watch: Watch, until: datetime
) -> tuple[datetime, RollbackJudgement] | None:
    """Return when, looking each hour, something would first have been proven, with it; None where never.

    Outcomes are taken to have been known at the end of the hour of their answer.
    """
    for one in watch.hours:
        at = one.begins
        if at > until:
            return None
        judgement = judge_rollback(terms, watch, at)
        if judgement.proven is not None:
            return min(at + timedelta(hours=1), until), judgement
    return None
