import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.tabular.columns import NUMBER_TYPES, ColumnType
from registry.tabular.histograms import (
    category_histogram,
    count_on,
    distinct_of,
    histogram_of,
    numeric_edges,
    numeric_histogram,
    sorted_histogram,
)

numbers = st.lists(st.floats(allow_nan=True, allow_infinity=True), max_size=60)


@given(reference=numbers, later=numbers)
def test_every_value_is_counted_once(reference: list[float], later: list[float]) -> None:
    histogram = numeric_histogram(pd.Series(reference, dtype="float64"))
    counted = count_on(histogram, pd.Series(later, dtype="float64"))
    assert len(counted["counts"]) == len(histogram["edges"]) + 1
    assert sum(counted["counts"]) + counted["missing"] == len(later)


@given(reference=numbers)
def test_edges_rise(reference: list[float]) -> None:
    edges = numeric_histogram(pd.Series(reference, dtype="float64"))["edges"]
    assert edges == sorted(set(edges))


def test_many_values_are_cut_at_the_deciles() -> None:
    histogram = numeric_histogram(pd.Series(np.arange(1000.0)))
    assert len(histogram["edges"]) == 9
    assert histogram["counts"] == [100] * 10


def test_few_values_have_a_bin_each() -> None:
    assert numeric_histogram(pd.Series([0, 1, 1, 1, 5]))["counts"] == [1, 3, 1]


def test_a_shift_away_from_a_dominant_highest_value_shows() -> None:
    reference = pd.Series(np.concatenate([np.linspace(0, 0.9, 50), np.ones(950)]))
    histogram = numeric_histogram(reference)
    assert 950 in histogram["counts"]
    assert count_on(histogram, pd.Series(np.linspace(0, 0.9, 100)))["counts"][-1] == 0


def test_a_shift_of_a_constant_shows() -> None:
    histogram = numeric_histogram(pd.Series([3.0] * 5))
    assert histogram["counts"] == [0, 5, 0]
    assert count_on(histogram, pd.Series([2.0, 3.0, 4.0, 4.0]))["counts"] == [1, 1, 2]


def test_values_beyond_the_reference_fall_into_the_open_outer_bins() -> None:
    histogram = numeric_histogram(pd.Series(np.arange(100.0)))
    counted = count_on(histogram, pd.Series([-1e9, 1e9, np.nan]))
    assert (counted["counts"][0], counted["counts"][-1], counted["missing"]) == (1, 1, 1)


def test_new_categories_count_as_other() -> None:
    histogram = category_histogram(pd.Series(["a", "a", "b", None]))
    assert histogram == {"categories": ["a", "b"], "counts": [2, 1], "other": 0, "missing": 1}
    assert count_on(histogram, pd.Series(["b", "z", None]))["other"] == 1


def test_fifty_categories_have_a_bin() -> None:
    histogram = category_histogram(pd.Series([f"c{i}" for i in range(60)] * 2))
    assert len(histogram["categories"]) == 50
    assert histogram["other"] == 20


def test_the_smallest_float_has_finite_edges() -> None:
    smallest = float(np.finfo("float64").min)
    assert numeric_histogram(pd.Series([smallest] * 3)) == {
        "edges": [smallest],
        "counts": [3, 0],
        "missing": 0,
    }


@pytest.mark.parametrize(
    "values", [[], [1.0], [2.0, 2.0], [0.0, -0.0, 1.0], list(range(300)), [5.0] * 90 + [1.0]]
)
def test_sorted_numbers_are_counted_as_any_others(values: list[float]) -> None:
    numbers = np.random.default_rng(0).permutation(np.asarray(values, dtype="float64"))
    found = sorted_histogram(np.sort(numbers), len(numbers) + 3)
    assert found["missing"] == 3
    assert found["edges"] == numeric_edges(numbers)
    assert found["counts"] == count_on(found, pd.Series(numbers, dtype="float64"))["counts"]
    assert distinct_of(np.sort(numbers)).tolist() == np.unique(numbers).tolist()


@pytest.mark.parametrize("kind", list(ColumnType))
def test_numbers_and_categories_have_histograms_and_nothing_else(kind: ColumnType) -> None:
    values = pd.Series(["a", "b"], dtype="str") if kind is ColumnType.category else pd.Series([1.0, 2.0])
    found = histogram_of(values, kind)
    if kind in NUMBER_TYPES:
        assert found == numeric_histogram(values)
    elif kind is ColumnType.category:
        assert found == category_histogram(values)
    else:
        assert found is None
