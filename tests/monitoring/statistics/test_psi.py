"""The index against values worked out by hand, its properties, and its behaviour under chance."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.statistics.psi import noise_threshold, population_stability_index

counts = st.lists(st.integers(0, 10_000), min_size=1, max_size=20)
pairs = st.integers(1, 20).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=size, max_size=size)] * 2)
)


def test_two_bins_by_hand() -> None:
    # Raised by one half: 50.5/101 = 0.5 each; 25.5/101 and 75.5/101.
    low, high = 25.5 / 101, 75.5 / 101
    by_hand = (low - 0.5) * math.log(low / 0.5) + (high - 0.5) * math.log(high / 0.5)
    assert population_stability_index([50, 50], [25, 75]) == pytest.approx(by_hand)
    assert by_hand == pytest.approx(0.2687, abs=1e-4)


def test_an_empty_bin_counts_but_does_not_explode() -> None:
    assert 0.5 < population_stability_index([50, 50], [0, 100]) < 3


def test_bins_empty_on_both_sides_change_nothing() -> None:
    assert population_stability_index([50, 0, 50], [20, 0, 80]) == population_stability_index(
        [50, 50], [20, 80]
    )


@given(counts)
def test_equal_histograms_have_no_divergence(same: list[int]) -> None:
    assert population_stability_index(same, same) == 0


@given(pairs)
def test_never_negative_and_symmetric(pair: tuple[list[int], list[int]]) -> None:
    score = population_stability_index(*pair)
    assert score >= 0
    assert score == pytest.approx(population_stability_index(*pair[::-1]))


@given(pairs, st.randoms())
def test_the_order_of_the_bins_does_not_matter(pair: tuple[list[int], list[int]], random: object) -> None:
    both = list(zip(*pair, strict=True))
    random.shuffle(both)  # type: ignore[attr-defined]  # a random.Random
    shuffled = ([left for left, _ in both], [right for _, right in both])
    assert population_stability_index(*shuffled) == pytest.approx(population_stability_index(*pair))


@pytest.mark.parametrize(("reference", "current"), [([1, 2], [1, 2, 3]), ([1, -1], [1, 1])])
def test_histograms_that_cannot_be_compared_are_refused(reference: list[int], current: list[int]) -> None:
    with pytest.raises(ValueError, match=r"same bins|negative"):
        population_stability_index(reference, current)


def test_threshold_by_hand() -> None:
    # The 95 % quantile of chi-square with 9 degrees of freedom is 16.919.
    assert noise_threshold(1000, 100, 10, 0.05) == pytest.approx((0.001 + 0.01) * 16.919, rel=1e-4)


def test_more_rows_lower_the_threshold_and_more_care_raises_it() -> None:
    assert noise_threshold(1000, 1000, 10, 0.01) < noise_threshold(1000, 30, 10, 0.01)
    assert noise_threshold(1000, 30, 10, 0.001) > noise_threshold(1000, 30, 10, 0.01)


@pytest.mark.parametrize(("n", "m", "alpha"), [(0, 10, 0.1), (10, 0, 0.1), (10, 10, 0), (10, 10, 1)])
def test_impossible_questions_are_refused(n: int, m: int, alpha: float) -> None:
    with pytest.raises(ValueError, match=r"rows|rate"):
        noise_threshold(n, m, 10, alpha)


@pytest.mark.parametrize("window", [30, 100, 1000])
def test_the_false_alarm_rate_is_about_what_is_promised(window: int) -> None:
    rng = np.random.default_rng(7)
    shares = np.full(10, 0.1)
    limit = noise_threshold(500, window, 10, 0.05)
    alarms = [
        population_stability_index(list(rng.multinomial(500, shares)), list(rng.multinomial(window, shares)))
        > limit
        for _ in range(2000)
    ]
    assert np.mean(alarms) < 0.08
