"""The exact statistics of two samples against scipy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import ks_2samp, wasserstein_distance

from monitoring.statistics.samples import TwoSamples

few_values = st.lists(st.integers(-4, 4).map(float), min_size=2, max_size=40)
any_values = st.lists(st.floats(-1e6, 1e6), min_size=2, max_size=40)
samples = st.one_of(st.tuples(few_values, few_values), st.tuples(any_values, any_values))


def of(reference: list[float], current: list[float]) -> TwoSamples:
    return TwoSamples.of(np.array(reference), np.array(current))


@given(samples)
def test_kolmogorov_smirnov_is_scipys(pair: tuple[list[float], list[float]]) -> None:
    expected = ks_2samp(*pair, method="asymp")
    found = of(*pair).kolmogorov_smirnov()
    assert found.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.p_value == pytest.approx(expected.pvalue, abs=1e-9)


@given(samples)
def test_wasserstein_is_scipys(pair: tuple[list[float], list[float]]) -> None:
    assert of(*pair).wasserstein() == pytest.approx(wasserstein_distance(*pair), rel=1e-9, abs=1e-9)


def test_samples_of_unlike_size_agree_with_scipy_as_well() -> None:
    rng = np.random.default_rng(0)
    reference, current = rng.normal(size=1_000), rng.normal(0.3, 1.2, size=700)
    two = TwoSamples.of(reference, current)
    assert two.wasserstein() == pytest.approx(wasserstein_distance(reference, current), abs=1e-9)
    assert two.kolmogorov_smirnov().p_value == pytest.approx(
        ks_2samp(reference, current, method="asymp").pvalue, abs=1e-9
    )


def test_the_normed_distance_is_in_standard_deviations_of_the_reference() -> None:
    two = of([0.0, 2.0, 4.0], [10.0, 12.0, 14.0])
    assert two.normed_wasserstein() == pytest.approx(10 / np.std([0, 2, 4]))
    assert of([3.0, 3.0], [5.0]).normed_wasserstein() == pytest.approx(2)


def test_missing_and_infinite_values_are_left_out() -> None:
    two = TwoSamples.of(np.array([1.0, np.nan, 2.0]), np.array([np.inf, 2.0, 1.0]))
    assert two.kolmogorov_smirnov().statistic == 0


def test_the_callers_values_are_left_in_their_order() -> None:
    given_values = np.array([3.0, 1.0, 2.0])
    TwoSamples.of(given_values, given_values).wasserstein()
    assert given_values.tolist() == [3.0, 1.0, 2.0]


def test_values_on_an_edge_belong_below_it() -> None:
    before, after = of([1.0, 2.0, 3.0], [2.0, 2.0, 9.0]).counts_on(np.array([2.0, 5.0]))
    assert (before.tolist(), after.tolist()) == ([2, 1, 0], [2, 0, 1])


def test_a_sample_without_values_is_refused() -> None:
    with pytest.raises(ValueError, match="finite values"):
        of([1.0], [float("nan")])
