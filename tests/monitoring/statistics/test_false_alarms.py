"""Alarms are as often false as stated: measured on data that does not change."""

import numpy as np
import pytest
from scipy.stats import false_discovery_control

from monitoring.statistics.false_alarms import (
    adjusted,
    benjamini_hochberg,
    divergence_p_value,
    rate_of_a_check,
)
from monitoring.statistics.psi import population_stability_index

WINDOWS = 1_000


@pytest.mark.parametrize("rows", [100, 1_000, 10_000])
@pytest.mark.parametrize("rate", [0.02, 0.05])
def test_unchanged_features_alarm_as_often_as_stated(rows: int, rate: float) -> None:
    rng, features, reference_rows, bins = np.random.default_rng(rows), 20, 5_000, 10
    shares = np.full(bins, 1 / bins)
    alarms = 0
    for _ in range(WINDOWS):
        reference = rng.multinomial(reference_rows, shares, size=features)
        current = rng.multinomial(rows, shares, size=features)
        p_values = {
            str(i): divergence_p_value(
                population_stability_index(reference[i], current[i]), reference_rows, rows, bins
            )
            for i in range(features)
        }
        alarms += bool(benjamini_hochberg(p_values, rate))
    assert rate / 2 <= alarms / WINDOWS <= rate * 2


def test_the_procedure_by_hand() -> None:
    # Of four, the third largest p is below 3/4 of the rate, so the first three fall, also the second.
    p_values = {"a": 0.001, "b": 0.03, "c": 0.035, "d": 0.5}
    assert benjamini_hochberg(p_values, 0.05) == {"a", "b", "c"}
    assert benjamini_hochberg({"a": 0.02, "b": 0.9}, 0.05) == {"a"}
    assert benjamini_hochberg({"a": 0.03, "b": 0.9}, 0.05) == set()
    assert benjamini_hochberg({}, 0.05) == set()


def test_adjusted_values_are_scipys() -> None:
    p_values = [0.2, 0.001, 0.04, 0.04, 0.9]
    assert adjusted(p_values) == pytest.approx(list(false_discovery_control(p_values)), abs=1e-12)
    assert adjusted([]) == []


def test_a_months_false_alarms_are_shared_among_its_checks() -> None:
    assert rate_of_a_check(1, 30) == pytest.approx(1 / 30)
    assert rate_of_a_check(5, 2) == 0.5


def test_what_makes_no_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="greater than 0"):
        rate_of_a_check(0, 30)
    with pytest.raises(ValueError, match="between 0 and 1"):
        benjamini_hochberg({"a": 0.5}, 1)
    with pytest.raises(ValueError, match="need rows"):
        divergence_p_value(0.1, 0, 10, 5)
