"""How far two models agree, on answers counted by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.problems import Predictions
from registry.problems.agreement import Crossing, agreement, least_share


def labels(*names: str) -> Predictions:
    return Predictions(values=np.array(names, dtype=object), classes=["a", "b"])


def test_labels_are_counted_and_crossings_named() -> None:
    found = agreement(labels(*"aaabb"), labels(*"aabba"), labelled=True)
    assert found is not None
    assert (found.rows, found.share) == (5, 0.6)
    assert set(found.crossings) == {Crossing("a", "b", 1), Crossing("b", "a", 1)}
    assert (found.within, found.difference, found.largest) == (None, None, None)


def test_rows_without_an_answer_count_as_different() -> None:
    found = agreement(labels(*"aaab"), labels(*"aaab"), failed=4, labelled=True)
    assert found is not None
    assert (found.rows, found.share) == (8, 0.5)
    alone = agreement(labels(), labels(), failed=3, labelled=True)
    assert alone is not None
    assert (alone.rows, alone.share, alone.low) == (3, 0.0, 0.0)
    assert agreement(labels(), labels(), labelled=True) is None


def test_differences_are_those_of_the_probability_that_was_heard() -> None:
    heard = Predictions(
        values=np.array(["a", "b"], dtype=object),
        probabilities=np.array([[0.9, 0.1], [0.3, 0.7]]),
        classes=["a", "b"],
    )
    shadow = Predictions(
        values=np.array(["a", "a"], dtype=object),
        probabilities=np.array([[0.2, 0.8], [0.6, 0.4]]),
        classes=["b", "a"],
    )
    found = agreement(heard, shadow, labelled=True)
    assert found is not None
    assert [found.difference, found.largest] == pytest.approx([0.1, 0.1])


def test_numbers_are_alike_within_a_tenth_of_their_spread() -> None:
    heard = np.array([0.0, 10.0, 20.0, 30.0])  # their standard deviation is 11.18
    shadow = heard + np.array([0.0, 1.1, -1.2, 5.0])
    found = agreement(Predictions(values=heard), Predictions(values=shadow), labelled=False)
    assert found is not None
    assert [found.share, found.within] == pytest.approx([0.5, 1.118], abs=1e-3)
    assert [found.difference, found.largest] == pytest.approx([7.3 / 4, 5.0])


def test_clusters_are_matched_before_they_are_counted() -> None:
    heard = Predictions(values=np.array(list("112233"), dtype=object))
    shadow = Predictions(values=np.array(list("330011"), dtype=object))
    found = agreement(heard, shadow, labelled=True, clusters=True)
    assert found is not None
    assert found.share == 1.0
    split = Predictions(values=np.array(list("330017"), dtype=object))
    found = agreement(heard, split, labelled=True, clusters=True)
    assert found is not None
    assert found.share == pytest.approx(5 / 6)


def test_the_least_share_is_wilsons() -> None:
    # One-sided 95 %: 10 of 10 are at least 10 / (10 + 1.6449²).
    assert least_share(10, 10) == pytest.approx(10 / (10 + 1.6448536**2))
    assert least_share(0, 10) == 0.0


@given(st.integers(1, 10_000).flatmap(lambda rows: st.tuples(st.integers(0, rows), st.just(rows))))
def test_the_least_share_is_a_share_below_the_one_seen(seen: tuple[int, int]) -> None:
    count, rows = seen
    assert 0 <= least_share(count, rows) <= count / rows
