"""Slices, sketches and shares."""

import numpy as np
import pandas as pd
import pytest

from monitoring.statistics.data_quality import share_grew
from monitoring.statistics.distinct import KEPT, distinct_rows, joined, sketch_of
from monitoring.statistics.slices import names_of, slices_of, usual_rule


def test_numbers_fall_between_cuts_and_each_row_into_one_slice() -> None:
    rule = {"cuts": [18.0, 65.0]}
    values = pd.Series([17.9, 18.0, 64.0, 65.0, None])
    found = {name: list(places) for name, places in slices_of(rule, values).items()}
    assert names_of(rule) == ["below 18", "18 to below 65", "65 and above", "missing"]
    assert found == {"below 18": [0], "18 to below 65": [1, 2], "65 and above": [3], "missing": [4]}


def test_values_have_a_slice_each_and_others_one() -> None:
    found = slices_of({"values": ["F", "M"]}, pd.Series(["M", "X", None, "F", "M"], dtype="str"))
    assert {name: list(places) for name, places in found.items()} == {
        "F": [3],
        "M": [0, 4],
        "other values": [1],
        "missing": [2],
    }


def test_a_reference_suggests_quarters_or_the_most_frequent_values() -> None:
    numbers = usual_rule({"edges": [1.0, 2.0, 3.0], "counts": [25, 25, 25, 25]}, 10)
    assert numbers == {"cuts": pytest.approx([1.0, 2.0, 3.0])}
    assert usual_rule({"categories": ["a", "b", "c"], "counts": [1, 9, 5]}, 2) == {"values": ["b", "c"]}
    assert usual_rule({}, 2) is None


def test_a_sketch_counts_different_rows_exactly_while_few_and_about_when_many() -> None:
    rng = np.random.default_rng(0)
    few = rng.integers(0, 2**63, 300, dtype="uint64") * np.uint64(2)
    assert distinct_rows(joined(sketch_of(few), sketch_of(few[:100]))) == 300
    many = rng.integers(0, 2**63, 50_000, dtype="uint64") * np.uint64(2)
    sketch = joined(sketch_of(many[:30_000]), sketch_of(many[20_000:]))
    assert len(sketch) == KEPT
    assert distinct_rows(sketch) == pytest.approx(50_000, rel=0.15)


def test_a_share_grew_only_beyond_chance() -> None:
    assert share_grew(60, 200, 10, 1000, tests=20)
    assert not share_grew(3, 200, 10, 1000, tests=20)
    assert not share_grew(0, 200, 0, 1000)
    assert not share_grew(5, 0, 0, 1000)
