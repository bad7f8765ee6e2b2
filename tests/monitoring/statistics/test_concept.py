"""A stream of errors whose mean changes, and one whose mean does not."""

import math

import numpy as np
import pytest

from monitoring.statistics.concept import PageHinkley, changes

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
