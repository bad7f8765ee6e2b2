"""What makes a row worth a label."""

import numpy as np
import pandas as pd

from feedback.statistics.worth import difference, doubt_of_classes, doubt_of_flags, ranked, strangeness
from registry.tabular.histograms import category_histogram, numeric_histogram


def test_the_smallest_margin_is_the_greatest_doubt() -> None:
    doubt = doubt_of_classes([{"a": 0.9, "b": 0.1}, {"a": 0.5, "b": 0.45, "c": 0.05}, None])
    assert doubt[:2].round(3).tolist() == [0.2, 0.95]
    assert np.isnan(doubt[2])


def test_a_score_at_the_border_is_the_most_doubtful() -> None:
    flags = np.array([True, True, False, False])
    assert doubt_of_flags(flags, np.array([9.0, 6.0, 4.0, 1.0])).argsort().tolist()[:2] == [0, 3]
    assert np.isnan(doubt_of_flags(np.array([True, True]), np.array([1.0, 2.0]))).all()


def test_a_row_beyond_the_reference_is_the_strangest() -> None:
    frame = pd.DataFrame({"x": np.linspace(0, 10, 200), "town": ["here", "there"] * 100})
    reference = {"x": numeric_histogram(frame["x"]), "town": category_histogram(frame["town"])}
    rows = pd.DataFrame({"x": [5.0, 5.0, np.nan], "town": ["here", "elsewhere", None], "other": [1, 2, 3]})
    found = strangeness(reference, rows)
    assert found.argsort().tolist() == [0, 1, 2]
    assert np.isnan(strangeness({}, rows)).all()


def test_ranks_hold_unlike_measures_against_each_other() -> None:
    assert ranked(np.array([3.0, 1.0, 2.0, 2.0])).tolist() == [0.75, 0.0, 0.25, 0.25]
    assert ranked(np.array([7.0, 7.0, np.nan])).tolist() == [0.0, 0.0, 0.0]
    assert difference(["a", "a"], ["a", "b"]).tolist() == [0.0, 1.0]
    assert difference([1.5, 2.0], [1.0, None])[0] == 0.5
