"""Rows counted in several groups at once."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring.statistics.grouping import Groups
from registry.tabular.histograms import (
    category_histogram,
    codes_on,
    count_on,
    counts_of_codes,
    numeric_histogram,
    width_of,
)

MEMBERS = [np.array([0, 1, 2]), np.array([1, 3]), np.array([], dtype="int64")]


def test_codes_are_counted_by_group() -> None:
    codes = np.array([0, 2, 2, 1])
    assert Groups.made_of(MEMBERS).table(codes, 3).tolist() == [[1, 0, 2], [0, 1, 1], [0, 0, 0]]


def test_marks_and_values_are_added_up_by_group() -> None:
    groups = Groups.made_of(MEMBERS)
    assert groups.count(np.array([True, True, False, False])).tolist() == [2, 1, 0]
    assert groups.total(np.array([1.0, 2.0, 3.0, 4.0])).tolist() == [6.0, 6.0, 0.0]


def test_no_group_is_no_count() -> None:
    assert Groups.made_of([]).table(np.array([0, 1]), 2).shape == (0, 2)


@pytest.mark.parametrize(
    "values",
    [
        pd.Series([1.0, 2.5, np.nan, 9.0, -4.0, np.inf, 2.5]),
        pd.Series(["a", "b", None, " a ", "never seen", ""], dtype="str"),
        pd.Series([True, False, None], dtype=object),
    ],
)
def test_codes_come_to_the_counts_of_the_histogram(values: "pd.Series[Any]") -> None:
    numbers = pd.api.types.is_numeric_dtype(values)
    histogram = (
        numeric_histogram(pd.Series([1.0, 2.0, 3.0]))
        if numbers
        else category_histogram(pd.Series(["a", "b", "true"], dtype="str"))
    )
    groups = Groups.made_of([np.arange(len(values))])
    (counts,) = groups.table(codes_on(histogram, values), width_of(histogram)).tolist()
    bins: dict[str, Any] = {name: histogram[name] for name in ("edges", "categories") if name in histogram}
    assert {**bins, **counts_of_codes(histogram, counts)} == count_on(histogram, values)
