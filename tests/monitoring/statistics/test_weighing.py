"""What follows from the cases: better, good enough, worse, critical, or not known yet."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from monitoring.statistics.weighing import Cases, Criteria, Decision, weigh

CRITERIA = Criteria(
    margin=0.0,
    alpha=0.05,
    minimum=100,
    largest_error=1.0,
    critical_error=None,
    least_share=0.5,
    most_share=0.5,
    cautious=False,
)


def cases(count: int, *, ours: float, theirs: float, scale: float = 1.0) -> Cases:
    """Every other case the challenger's, wrong evenly in these shares."""
    taken = np.arange(count) % 2 == 0
    turn = np.arange(count) // 2
    share = np.where(taken, ours, theirs)
    errors = scale * (np.floor((turn + 1) * share) > np.floor(turn * share)).astype("float64")
    return Cases(errors, errors, taken, np.full(count, 0.5))


def decision(found: Cases, **changes: Any) -> Decision:
    return weigh(found, replace(CRITERIA, **changes)).decision


def test_without_a_case_nothing_is_known() -> None:
    nothing = np.zeros(0)
    found = weigh(Cases(nothing, nothing, np.zeros(0, dtype=bool), nothing), CRITERIA)
    assert (found.decision, found.difference, found.challenger.cases) == (Decision.UNDECIDED, None, 0)


def test_what_is_clearly_better_is_found_better_and_not_before_enough_cases() -> None:
    assert decision(cases(2000, ours=0.1, theirs=0.4)) is Decision.BETTER
    assert decision(cases(2000, ours=0.1, theirs=0.4), minimum=1001) is Decision.UNDECIDED


def test_what_is_clearly_worse_is_found_worse_by_a_cautious_eye_at_once() -> None:
    few = cases(150, ours=0.9, theirs=0.1)
    assert decision(few, minimum=500) is Decision.UNDECIDED
    assert decision(few, minimum=500, cautious=True) is Decision.WORSE
    assert decision(cases(1200, ours=0.9, theirs=0.1), minimum=500) is Decision.WORSE


def test_what_is_as_good_is_good_within_a_margin_alone() -> None:
    same = cases(6000, ours=0.1, theirs=0.1)
    assert decision(same) is Decision.UNDECIDED
    assert decision(same, margin=0.1) is Decision.GOOD


def test_a_single_critical_error_of_the_challenger_is_enough() -> None:
    early = cases(8, ours=0.5, theirs=0.5)
    assert decision(early, critical_error=1.0) is Decision.CRITICAL
    assert decision(early, critical_error=1.5) is Decision.UNDECIDED
    champions = replace(early, taken=np.zeros(8, dtype=bool))
    assert decision(champions, critical_error=1.0) is Decision.UNDECIDED


def test_numbers_are_in_the_errors_own_unit_and_large_ones_count_as_the_largest() -> None:
    found = weigh(cases(2000, ours=0.1, theirs=0.4, scale=5000.0), replace(CRITERIA, largest_error=50.0))
    assert found.challenger.error == pytest.approx(5.0)
    assert found.champion.error == pytest.approx(20.0)
    assert found.difference == pytest.approx(-15.0, abs=0.5)
    assert found.worst == 5000.0
    assert found.low is not None
    assert found.high is not None
    assert found.low < -15 < found.high < 0


def test_the_path_ends_with_the_verdict_and_narrows() -> None:
    found = weigh(cases(3000, ours=0.2, theirs=0.2), CRITERIA)
    assert found.path[-1] == [3000, found.difference, found.low, found.high]
    widths = [high - low for _, _, low, high in found.path[20:]]
    assert widths == sorted(widths, reverse=True)
    assert len(found.path) <= 80
