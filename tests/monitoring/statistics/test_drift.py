"""A column's verdict from two histograms."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.statistics.alarms import Watch, calibrated
from monitoring.statistics.drift import bin_counts, column_divergence
from registry.tabular.histograms import category_histogram, count_on, numeric_histogram

rng = np.random.default_rng(3)
REFERENCE = numeric_histogram(pd.Series(rng.normal(size=500)))


def judged(reference: dict[str, Any], values: Any) -> bool:
    """Whether the usual rule finds that these values have drifted, looking every 15 minutes at 7 days."""
    found = column_divergence(reference, count_on(reference, pd.Series(values)))
    assert found is not None
    return calibrated({"column": found}, Watch(7, 15), 1.0).alarm


def drift_of(values: np.ndarray) -> bool:
    return judged(REFERENCE, values)


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
    assert judged(reference, ["red", "violet"] * 50)
    assert bin_counts(current) == [0, 50, 50, 0] or bin_counts(current) == [50, 0, 50, 0]


BOOLEANS = numeric_histogram(pd.Series([1.0, 0.0, 1.0, 1.0] * 100))
WARDS = category_histogram(pd.Series(["north", "south", None, "north"] * 100))


@pytest.mark.parametrize(
    ("reference", "values", "drifted"),
    [
        (BOOLEANS, [1.0, 0.0, 1.0, 1.0] * 25, False),
        (BOOLEANS, [0.0] * 100, True),
        (BOOLEANS, [1.0, 0.0, 1.0, np.nan] * 25, True),
        (WARDS, ["north", "south", None, "north"] * 25, False),
        (WARDS, ["north", "south", "south", "north"] * 25, True),
        (WARDS, [None] * 100, True),
        (WARDS, ["north", "south", "west", "north"] * 25, True),
        (WARDS, [" north", "south ", None, "north"] * 25, False),
    ],
)
def test_truths_categories_and_gaps_are_watched_alike(
    reference: dict[str, Any], values: list[Any], drifted: bool
) -> None:
    assert judged(reference, values) is drifted


@settings(deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=40), st.lists(st.floats(), min_size=1, max_size=40))
def test_any_two_columns_can_be_compared(before: list[float], after: list[float]) -> None:
    reference = numeric_histogram(pd.Series(before, dtype="float64"))
    found = column_divergence(reference, count_on(reference, pd.Series(after, dtype="float64")))
    assert found is not None
    assert np.isfinite(found.score)
    assert 0 <= found.p_value <= 1
    assert (found.before, found.after) == (len(before), len(after))


def test_no_rows_give_nothing_to_compare() -> None:
    assert column_divergence(REFERENCE, count_on(REFERENCE, pd.Series([], dtype="float64"))) is None
