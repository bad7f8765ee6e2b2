"""A column's verdict from two histograms."""

import numpy as np
import pandas as pd
import pytest

from monitoring.statistics.drift import bin_counts, column_drift
from registry.tabular.histograms import category_histogram, count_on, numeric_histogram

rng = np.random.default_rng(3)
REFERENCE = numeric_histogram(pd.Series(rng.normal(size=500)))


def drift_of(values: np.ndarray, columns: int = 10) -> bool:
    verdict = column_drift(REFERENCE, count_on(REFERENCE, pd.Series(values)), columns=columns)
    assert verdict is not None
    return verdict.drifted


@pytest.mark.parametrize("rows", [30, 100, 1000])
def test_the_same_distribution_has_not_drifted(rows: int) -> None:
    assert not drift_of(rng.normal(size=rows))


@pytest.mark.parametrize("rows", [30, 100, 1000])
def test_a_shift_of_two_deviations_has(rows: int) -> None:
    assert drift_of(rng.normal(2, size=rows))


def test_values_gone_missing_are_drift() -> None:
    assert drift_of(np.where(np.arange(200) % 2, np.nan, rng.normal(size=200)))


def test_a_new_category_is_drift() -> None:
    reference = category_histogram(pd.Series(["red", "green"] * 100))
    current = count_on(reference, pd.Series(["red", "violet"] * 50))
    verdict = column_drift(reference, current, columns=1)
    assert verdict is not None
    assert verdict.drifted
    assert bin_counts(current) == [0, 50, 50, 0] or bin_counts(current) == [50, 0, 50, 0]


def test_the_customary_limit_holds_for_large_windows() -> None:
    big = {"edges": [0.0], "counts": [500_000, 500_000], "missing": 0}
    verdict = column_drift(big, {"edges": [0.0], "counts": [45_000, 55_000], "missing": 0}, columns=1)
    assert verdict is not None
    assert verdict.threshold == 0.1
    assert not verdict.drifted


def test_no_rows_give_no_verdict() -> None:
    assert column_drift(REFERENCE, count_on(REFERENCE, pd.Series([], dtype="float64")), columns=1) is None
