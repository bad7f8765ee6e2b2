"""Whole columns, from rows and from counts."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import ks_2samp, wasserstein_distance

from monitoring.statistics.comparing import compare_column, compare_counts, compare_frames
from registry.tabular.columns import ColumnType
from registry.tabular.histograms import count_on, histogram_of


def numbers(rows: int, seed: int, mean: float = 0.0) -> "pd.Series[float]":
    return pd.Series(np.random.default_rng(seed).normal(mean, size=rows))


def test_rows_and_counts_tell_the_same_of_the_bins() -> None:
    before, after = numbers(3_000, 0), numbers(2_000, 1, 0.2)
    after.iloc[:50] = np.nan
    from_rows = compare_column(before, after)
    histogram = histogram_of(before, ColumnType.numeric)
    assert histogram is not None
    assert from_rows is not None
    from_counts = compare_counts(histogram, count_on(histogram, after))
    assert from_counts is not None
    assert (from_rows.psi, from_rows.chi_square) == (from_counts.psi, from_counts.chi_square)
    assert from_counts.kolmogorov_smirnov is None


def test_rows_of_numbers_are_compared_exactly() -> None:
    before, after = numbers(3_000, 0), numbers(2_000, 1, 0.2)
    found = compare_column(before, after)
    assert found is not None
    assert found.kolmogorov_smirnov is not None
    expected = ks_2samp(before, after, method="asymp")
    assert found.kolmogorov_smirnov.statistic == pytest.approx(expected.statistic, abs=1e-9)
    assert found.wasserstein == pytest.approx(
        wasserstein_distance(before, after) / before.std(ddof=0), abs=1e-9
    )
    assert found.binned_distance is not None
    assert found.binned_distance <= expected.statistic + 1e-12


def test_new_and_vanished_categories_are_named() -> None:
    found = compare_column(pd.Series(["a", "b", "b"]), pd.Series(["b", "c", None]))
    assert found is not None
    assert (found.appeared, found.vanished) == (True, ("a",))
    assert found.kolmogorov_smirnov is None


def test_every_column_of_both_frames_is_compared() -> None:
    rng = np.random.default_rng(0)
    before = pd.DataFrame({"x": rng.normal(size=500), "kind": rng.choice(["a", "b"], 500), "old": 1})
    after = pd.DataFrame({"x": rng.normal(2, size=500), "kind": rng.choice(["a", "b"], 500)})
    found = compare_frames(before, after, threads=2)
    assert list(found) == ["x", "kind"]
    assert found["x"].psi > 1 > found["kind"].psi


@pytest.mark.parametrize("emptied", [0, 1])
def test_a_column_that_is_missing_altogether_has_moved(emptied: int) -> None:
    both = [numbers(200, 0), numbers(200, 1)]
    both[emptied] = pd.Series(np.full(200, np.nan))
    found = compare_column(*both)
    assert found is not None
    assert found.l_infinity == pytest.approx(1)
    assert found.binned_distance is None


def test_no_rows_have_nothing_to_compare() -> None:
    assert compare_column(numbers(10, 0), numbers(0, 0)) is None
