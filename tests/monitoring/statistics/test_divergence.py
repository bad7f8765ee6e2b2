"""The measures between histograms against scipy, by hand, and at their bounds."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import chi2_contingency, contingency

from monitoring.statistics.divergence import (
    binned_kolmogorov_smirnov,
    chi_square,
    cramers_v,
    hellinger,
    jensen_shannon,
    l_infinity,
)

Measure = Callable[[Sequence[float], Sequence[float]], float]
BETWEEN_0_AND_1: list[Measure] = [
    jensen_shannon,
    hellinger,
    l_infinity,
    cramers_v,
    binned_kolmogorov_smirnov,
]
counts = st.lists(st.integers(0, 10_000), min_size=2, max_size=20).filter(any)
pairs = st.integers(2, 20).flatmap(
    lambda size: st.tuples(*[st.lists(st.integers(0, 10_000), min_size=size, max_size=size).filter(any)] * 2)
)


@given(pairs)
def test_jensen_shannon_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    assert jensen_shannon(*pair) == pytest.approx(jensenshannon(*pair, base=2), abs=1e-7)


def test_jensen_shannon_is_scipys_to_nine_digits() -> None:
    reference, current = [120, 340, 0, 95], [80, 300, 12, 140]
    assert jensen_shannon(reference, current) == pytest.approx(
        jensenshannon(reference, current, base=2), abs=1e-9
    )


@given(pairs)
def test_chi_square_is_scipys(pair: tuple[list[int], list[int]]) -> None:
    table = np.array(pair)
    table = table[:, table.any(axis=0)]
    expected = chi2_contingency(table, correction=False)
    found = chi_square(*pair)
    assert found.statistic == pytest.approx(expected.statistic, rel=1e-9, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)
    assert found.freedom == expected.dof


def test_cramers_v_is_scipys() -> None:
    table = [[120, 340, 7, 95], [80, 300, 12, 140]]
    expected = contingency.association(np.array(table), method="cramer")
    assert cramers_v(*table) == pytest.approx(expected, abs=1e-9)


def test_hellinger_by_hand() -> None:
    by_hand = math.sqrt(
        ((math.sqrt(0.5) - math.sqrt(0.25)) ** 2 + (math.sqrt(0.5) - math.sqrt(0.75)) ** 2) / 2
    )
    assert hellinger([50, 50], [25, 75]) == pytest.approx(by_hand, abs=1e-12)


def test_l_infinity_is_the_largest_change_of_a_share() -> None:
    assert l_infinity([50, 30, 20], [10, 10, 20]) == pytest.approx(0.3)


def test_the_distribution_functions_are_compared_in_the_bins_order() -> None:
    assert binned_kolmogorov_smirnov([50, 0, 50], [0, 50, 50]) == pytest.approx(0.5)
    assert binned_kolmogorov_smirnov([50, 50, 0], [0, 50, 50]) == pytest.approx(0.5)


@pytest.mark.parametrize("measure", BETWEEN_0_AND_1)
@given(counts)
def test_equal_shares_have_no_distance(measure: Measure, same: list[int]) -> None:
    assert measure(same, [3 * count for count in same]) == pytest.approx(0, abs=1e-7)


@pytest.mark.parametrize("measure", BETWEEN_0_AND_1)
def test_nothing_in_common_is_the_whole_distance(measure: Measure) -> None:
    assert measure([10, 0], [0, 70]) == pytest.approx(1)


@pytest.mark.parametrize("measure", BETWEEN_0_AND_1)
@given(pairs)
def test_stays_within_its_bounds_and_is_symmetric(
    measure: Measure, pair: tuple[list[int], list[int]]
) -> None:
    assert 0 <= measure(*pair) <= 1
    assert measure(*pair) == pytest.approx(measure(*pair[::-1]), abs=1e-9)


@pytest.mark.parametrize(
    ("reference", "current", "told"),
    [
        ([1, 2], [1, 2, 3], "same bins"),
        ([1, -1], [1, 1], "negative"),
        ([1, math.nan], [1, 1], "finite"),
        ([0, 0], [1, 1], "need rows"),
    ],
)
@pytest.mark.parametrize("measure", [*BETWEEN_0_AND_1, chi_square])
def test_histograms_that_cannot_be_compared_are_refused(
    measure: Callable[..., object], reference: list[float], current: list[float], told: str
) -> None:
    with pytest.raises(ValueError, match=told):
        measure(reference, current)


def test_a_single_bin_tells_nothing() -> None:
    assert chi_square([5, 0], [9, 0]).p_value == 1.0
