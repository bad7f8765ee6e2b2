"""Clustering metrics against scikit-learn's and by hand."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from sklearn.metrics import calinski_harabasz_score, davies_bouldin_score, silhouette_score

from registry.problems import InvalidOutcome, NotComparable, Predictions, UnusableTarget, get_problem
from registry.problems.clustering import NO_CLUSTER, cluster_name, sampled

CLUSTERS = get_problem("clustering")


def points(n: int = 90) -> npt.NDArray[np.float64]:
    rng = np.random.default_rng(0)
    around = np.repeat([[0.0, 0.0], [6.0, 0.0], [0.0, 6.0]], n // 3, axis=0)
    return np.asarray(rng.normal(size=(n, 2)) + around)


def named(numbers: npt.NDArray[Any], where: npt.NDArray[np.float64]) -> Predictions:
    labels = np.array([cluster_name(int(number)) for number in numbers], dtype=object)
    return Predictions(labels, scores=np.zeros(len(labels)), points=where)


def test_indices_are_scikit_learns() -> None:
    rows, numbers = points(), np.repeat([0, 1, 2], 30)
    found = CLUSTERS.score([], named(numbers, rows))
    assert found["silhouette"] == pytest.approx(silhouette_score(rows, numbers))
    assert found["davies_bouldin"] == pytest.approx(davies_bouldin_score(rows, numbers))
    assert found["calinski_harabasz"] == pytest.approx(calinski_harabasz_score(rows, numbers))
    assert (found["clusters"], found["share_unassigned"]) == (3, 0)


def test_a_silhouette_by_hand() -> None:
    # Pairs one apart, ten from the other pair: (10.5 - 1) / 10.5 outside, (9.5 - 1) / 9.5 inside.
    found = CLUSTERS.score([], named(np.array([0, 0, 1, 1]), np.array([[0.0], [1.0], [10.0], [11.0]])))
    assert found["silhouette"] == pytest.approx((9.5 / 10.5 + 8.5 / 9.5) / 2)


def test_rows_in_no_cluster_count_nothing_in_the_silhouette() -> None:
    rows, numbers = points(), np.repeat([0, 1, 2], 30)
    placed = numbers.copy()
    placed[:9] = -1
    found = CLUSTERS.score([], named(placed, rows))
    alone = silhouette_score(rows[9:], numbers[9:])
    assert found["silhouette"] == pytest.approx(alone * 81 / 90)
    assert found["share_unassigned"] == pytest.approx(0.1)


def test_of_many_rows_a_fixed_sample_is_measured() -> None:
    rows, numbers = points(6000), np.repeat([0, 1, 2], 2000)
    chosen = sampled(6000)
    assert len(chosen) == 2000
    found = CLUSTERS.score([], named(numbers, rows))["silhouette"]
    assert found == pytest.approx(silhouette_score(rows[chosen], numbers[chosen]))


@pytest.mark.parametrize("numbers", [np.zeros(90, dtype=int), np.arange(90), np.full(90, -1)])
def test_what_is_no_grouping_has_no_index(numbers: npt.NDArray[Any]) -> None:
    found = CLUSTERS.score([], named(numbers, points()))
    assert "silhouette" not in found
    assert CLUSTERS.score([], Predictions(np.array([], dtype=object))) == {}


def test_two_clusterings_are_compared_in_the_champions_space() -> None:
    rows = points()
    good = named(np.repeat([0, 1, 2], 30), rows)
    poor = named(np.tile([0, 1, 2], 30), rows * 100)
    assert CLUSTERS.compare([], good, poor).passed
    found = CLUSTERS.compare([], poor, good)
    assert (found.what, found.passed) == ("silhouette", False)
    assert found.candidate < 0 < found.champion
    with pytest.raises(NotComparable, match="two clusters"):
        CLUSTERS.compare([], named(np.zeros(90), rows), good)


def test_it_has_neither_target_nor_outcome() -> None:
    CLUSTERS.check_target(pd.Series([np.nan, np.nan]))
    with pytest.raises(UnusableTarget, match="no right answer"):
        CLUSTERS.check_target(pd.Series(["a", "b"]))
    with pytest.raises(InvalidOutcome, match="no right answer"):
        CLUSTERS.parse_outcome("cluster 1", None)
    assert cluster_name(-1) == NO_CLUSTER


def test_agreement_with_itself_is_what_a_column_is_measured_by() -> None:
    one = named(np.repeat([0, 1, 2], 30), points())
    renamed = named(np.repeat([2, 0, 1], 30), points())
    assert CLUSTERS.reliance([], one, renamed) == pytest.approx(1)
    assert CLUSTERS.reliance([], one, named(np.tile([0, 1, 2], 30), points())) < 0.1
