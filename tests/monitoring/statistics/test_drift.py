"""A column's verdict from two histograms."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
    verdict = column_drift(reference, count_on(reference, pd.Series(values)), columns=5)
    assert verdict is not None
    assert verdict.drifted is drifted


def test_more_columns_in_a_check_make_each_verdict_more_careful() -> None:
    current = count_on(REFERENCE, pd.Series(rng.normal(size=60)))
    few, many = (column_drift(REFERENCE, current, columns=count) for count in (1, 100))
    assert few is not None
    assert many is not None
    assert few.threshold < many.threshold
    assert few.score == many.score


def test_a_whole_check_of_unchanged_columns_rarely_alarms() -> None:
    draw = np.random.default_rng(11)
    alarms = 0
    for _ in range(200):
        verdicts = [
            column_drift(REFERENCE, count_on(REFERENCE, pd.Series(draw.normal(size=100))), columns=5)
            for _ in range(5)
        ]
        alarms += any(verdict.drifted for verdict in verdicts if verdict is not None)
    # The reference is itself a sample, the same one in every check, so a few more than 1 % may alarm.
    assert alarms <= 12


@settings(deadline=None)
@given(st.lists(st.floats(), min_size=1, max_size=40), st.lists(st.floats(), min_size=1, max_size=40))
def test_any_two_columns_can_be_compared(before: list[float], after: list[float]) -> None:
    reference = numeric_histogram(pd.Series(before, dtype="float64"))
    verdict = column_drift(reference, count_on(reference, pd.Series(after, dtype="float64")), columns=3)
    assert verdict is not None
    assert np.isfinite(verdict.score)
    assert verdict.threshold >= 0.1
    assert verdict.drifted == (verdict.score > verdict.threshold)


def test_the_customary_limit_holds_for_large_windows() -> None:
    big = {"edges": [0.0], "counts": [500_000, 500_000], "missing": 0}
    verdict = column_drift(big, {"edges": [0.0], "counts": [45_000, 55_000], "missing": 0}, columns=1)
    assert verdict is not None
    assert verdict.threshold == 0.1
    assert not verdict.drifted


def test_no_rows_give_no_verdict() -> None:
    assert column_drift(REFERENCE, count_on(REFERENCE, pd.Series([], dtype="float64")), columns=1) is None
