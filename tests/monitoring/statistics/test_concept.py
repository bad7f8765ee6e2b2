"""A stream of errors whose mean changes, and one whose mean does not."""

import math

import numpy as np
import pytest

from monitoring.statistics.concept import PageHinkley, changes, followed, threshold_for

TEST = PageHinkley(tolerance=0.02, threshold=40)


def test_a_risen_error_is_told_soon_after_and_once() -> None:
    rng = np.random.default_rng(0)
    stream = np.concatenate([rng.uniform(size=500) < 0.1, rng.uniform(size=500) < 0.5]).astype("float64")
    (told,) = changes(stream, TEST)[:1]
    assert 500 < told < 650


def test_a_steady_error_is_left_alone() -> None:
    rng = np.random.default_rng(1)
    assert changes((rng.uniform(size=5_000) < 0.1).astype("float64"), TEST) == []


def test_nothing_is_told_before_the_burn_in() -> None:
    eager = PageHinkley(tolerance=0, threshold=0.1, burn_in=30)
    assert min(changes([0.0] * 10 + [1.0] * 50, eager)) >= 29


def test_after_a_change_the_test_begins_anew() -> None:
    state = PageHinkley(tolerance=0, threshold=0.1, burn_in=1)
    for value in (0.0, 0.0, 5.0):
        state = state.after(value)
    assert state.changed
    assert (state.after(1.0).rows, state.after(1.0).mean) == (1, 1.0)


def test_what_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        TEST.after(math.nan)


def test_the_sums_are_those_by_hand() -> None:
    # Means 0, 0.5, 2/3, 0.5; the sum adds value - mean - 0.1: -0.1, 0.3, 0.5333..., -0.0666...
    found = followed(PageHinkley(tolerance=0.1, threshold=1.0), [0.0, 1.0, 1.0, 0.0])
    assert found.state.total == pytest.approx(-0.1 + 0.4 + (1 / 3 - 0.1) - 0.6)
    assert found.state.lowest == pytest.approx(-0.1)
    assert found.evidence == pytest.approx([0.0, 0.4, 0.4 + 1 / 3 - 0.1, 0.4 + 1 / 3 - 0.7])
    assert [found.state.before, found.state.since] == pytest.approx([0.0, 2 / 3])


def test_values_in_parts_come_to_the_same_as_at_once() -> None:
    stream = (np.random.default_rng(2).uniform(size=900) < np.repeat([0.1, 0.6, 0.2], 300)).astype("float64")
    whole, state, places = followed(TEST, stream), TEST, []
    for start in range(0, 900, 70):
        part = followed(state, stream[start : start + 70])
        places += [start + one.place for one in part.changes]
        state = part.state
    assert state == whole.state
    assert places == [one.place for one in whole.changes] != []


def test_a_change_tells_the_means_before_and_since_the_rise_began() -> None:
    stream = [0.0, 1.0] * 100 + [1.0] * 100
    (change,) = followed(PageHinkley(tolerance=0.02, threshold=10), stream).changes
    assert change.before == pytest.approx(0.5, abs=0.01)
    assert change.since == pytest.approx(1.0, abs=0.01)


@pytest.mark.parametrize("error", [0.05, 0.3])
def test_of_an_unchanged_error_as_many_changes_are_told_as_stated(error: float) -> None:
    rows, streams = 2_000, 60
    test = PageHinkley(0.02, threshold_for(error * (1 - error), 0.02, rows))
    draw = np.random.default_rng(3)
    told = sum(len(changes(draw.uniform(size=rows) < error, test)) for _ in range(streams))
    assert streams / 2.5 <= told <= streams * 2.5


def test_a_threshold_needs_positive_numbers() -> None:
    with pytest.raises(ValueError, match="positive"):
        threshold_for(0.0, 0.02)
