"""Which evidence takes a champion back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from monitoring.deciding.rollback import Hour, RollbackTerms, Signal, Watch, first_proof, judge_rollback

SINCE = datetime(2026, 6, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
ALL = RollbackTerms(frozenset(Signal), 0.01, 50, 0.1, timedelta(days=30))
GOOD = Hour(SINCE, 40, 40, 2.0, 40, 38.0, 38.0, 0.02, asked=40, failed=0)


def watched(hours: int = 3, **changes: Any) -> Watch:
    ran = [replace(GOOD, begins=SINCE + number * HOUR, **changes) for number in range(hours)]
    return Watch(SINCE, 2, 0.1, ran)


@pytest.mark.parametrize(
    ("changes", "signal"),
    [
        ({}, None),
        ({"loss": 20.0}, "quality"),
        ({"slow": 1.0}, "latency"),
        ({"said": 39.0, "right": 16.0}, "calibration"),
        ({"said": 16.0, "right": 39.0}, "calibration"),
        ({"failed": 20}, "errors"),
    ],
)
def test_each_signal_is_proven_by_its_own_hours(changes: dict[str, Any], signal: str | None) -> None:
    found = judge_rollback(ALL, watched(6, **changes), SINCE + 6 * HOUR)
    assert (found.proven and found.proven.signal) == signal
    assert len(found.tests) == 5


def test_the_false_alarms_are_shared_out_among_the_tests() -> None:
    found = judge_rollback(ALL, watched(), SINCE + 3 * HOUR)
    assert sum(one.alpha for one in found.tests) == pytest.approx(ALL.alpha)


@pytest.mark.parametrize(
    ("terms", "watch", "at"),
    [
        ({"signals": frozenset({Signal.LATENCY})}, watched(loss=30.0), SINCE + 3 * HOUR),
        ({"minimum": 121}, watched(loss=30.0), SINCE + 3 * HOUR),
        ({}, watched(loss=30.0), SINCE + timedelta(days=31)),
        ({}, replace(watched(loss=30.0), tolerated=None), SINCE + 3 * HOUR),
        ({}, watched(slow=None), SINCE + 3 * HOUR),
        ({}, watched(0), SINCE),
    ],
)
def test_nothing_is_taken_back_otherwise(terms: dict[str, Any], watch: Watch, at: datetime) -> None:
    assert judge_rollback(replace(ALL, **terms), watch, at).proven is None


def test_one_slow_hour_with_many_rows_is_no_proof() -> None:
    assert judge_rollback(ALL, watched(1, slow=1.0, rows=100_000), SINCE + HOUR).proven is None


def test_the_reason_tells_the_numbers() -> None:
    found = judge_rollback(ALL, watched(loss=20.0), SINCE + 3 * HOUR)
    assert "Mean error: 0.5 over 120 answers, proven to be at least 0.3" in found.sentence
    assert found.proven is not None
    assert found.proven.as_json()["evidence"] >= found.proven.as_json()["needed"] == 500


def test_a_replay_finds_the_first_hour_with_proof() -> None:
    watch = watched(10, loss=16.0)
    found = first_proof(ALL, watch, SINCE + 10 * HOUR)
    assert found is not None
    at = found[0]
    assert SINCE + HOUR < at < SINCE + 5 * HOUR
    assert judge_rollback(ALL, watch, at - 2 * HOUR).proven is None
    assert first_proof(ALL, watched(10), SINCE + 10 * HOUR) is None
