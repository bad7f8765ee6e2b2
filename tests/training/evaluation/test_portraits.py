"""Portraits of clusters and unusual rows, of tables whose groups are known."""

import numpy as np
import pandas as pd
import pytest

from registry.problems import Predictions
from registry.tabular.schema import Column, ColumnType
from training.evaluation.portraits import cluster_portraits, unusual_rows

RNG = np.random.default_rng(0)
ROWS = 120
NAMES = np.repeat(["cluster 1", "cluster 2", "no cluster"], [70, 40, 10]).astype(object)
FRAME = pd.DataFrame(
    {
        "heat": np.repeat([40.0, 80.0, 200.0], [70, 40, 10]) + RNG.normal(0, 1, ROWS),
        "noise": RNG.normal(0, 1, ROWS),
        "make": np.repeat(["lathe", "press", "lathe"], [70, 40, 10]),
        "note": "some text",
    }
)
COLUMNS = [
    Column("heat", ColumnType.numeric, nullable=False),
    Column("noise", ColumnType.numeric, nullable=False),
    Column("make", ColumnType.category, nullable=False),
    Column("note", ColumnType.text, nullable=False),
]
POINTS = FRAME[["heat"]].to_numpy()


@pytest.fixture(scope="module")
def answers() -> Predictions:
    return Predictions(NAMES, scores=np.zeros(ROWS), points=POINTS)


def test_each_cluster_has_its_size_the_largest_first_and_no_cluster_last(answers: Predictions) -> None:
    found = cluster_portraits(FRAME, COLUMNS, answers)
    assert [(one.name, one.rows) for one in found] == [
        ("cluster 1", 70),
        ("cluster 2", 40),
        ("no cluster", 10),
    ]
    assert sum(one.share for one in found) == pytest.approx(1)


def test_typical_values_stand_beside_those_of_all_rows(answers: Predictions) -> None:
    _, second, _ = cluster_portraits(FRAME, COLUMNS, answers)
    traits = {trait.feature: trait for trait in second.traits}
    assert traits["heat"].typical == pytest.approx(FRAME["heat"][70:110].median())
    assert traits["heat"].whole == pytest.approx(FRAME["heat"].median())
    assert (traits["make"].value, traits["make"].typical) == ("press", 1.0)
    assert traits["make"].whole == pytest.approx(40 / 120)
    assert second.traits[0].feature == "make"  # the farthest from the whole: 0.67 of a share of a third
    assert abs(traits["noise"].apart) < abs(traits["heat"].apart)
    assert "note" not in traits


def test_a_category_that_a_cluster_lacks_is_no_missing_value(answers: Predictions) -> None:
    frame = FRAME.assign(make=FRAME["make"].where(np.arange(ROWS) > 5, None))
    first, *_ = cluster_portraits(frame, COLUMNS, answers)
    [make] = [trait for trait in first.traits if trait.feature == "make"]
    assert make.value == "lathe"
    assert make.typical == pytest.approx(64 / 70)


def test_rows_lie_well_in_clusters_that_are_apart_and_those_in_none_are_not_asked(
    answers: Predictions,
) -> None:
    first, second, none = cluster_portraits(FRAME, COLUMNS, answers)
    assert first.silhouette is not None
    assert first.silhouette > 0.9
    assert len(first.silhouettes) == 60
    assert len(second.silhouettes) == 40
    assert first.silhouettes == sorted(first.silhouettes, reverse=True)
    assert (none.silhouette, none.silhouettes) == (None, [])


@pytest.mark.parametrize("points", [None, POINTS])
def test_a_single_cluster_has_no_silhouette(points: np.ndarray | None) -> None:
    one = np.full(ROWS, "cluster 1", dtype=object)
    [portrait] = cluster_portraits(FRAME, COLUMNS, Predictions(one, points=points))
    assert portrait.silhouette is None


def test_a_column_without_spread_tells_nothing() -> None:
    flat = FRAME.assign(heat=1.0)
    found = cluster_portraits(flat, COLUMNS, Predictions(NAMES, points=POINTS))
    assert all(trait.feature != "heat" for one in found for trait in one.traits)


@pytest.fixture(scope="module")
def scores() -> np.ndarray:
    return np.where(FRAME["heat"] > 150, 0.9, 0.2) + FRAME["noise"].to_numpy() * 0.01


def test_scores_are_counted_in_bins_and_those_above_the_threshold_flagged(scores: np.ndarray) -> None:
    found = unusual_rows(FRAME, COLUMNS, scores, 0.5)
    assert (found.flagged, sum(found.counts)) == (10, ROWS)
    assert len(found.edges) == len(found.counts) + 1
    assert found.edges[0] <= scores.min()
    assert found.edges[-1] >= scores.max()
    assert sum(count for edge, count in zip(found.edges, found.counts, strict=False) if edge >= 0.5) == 10


def test_the_most_unusual_rows_come_first_with_what_is_farthest_out(scores: np.ndarray) -> None:
    found = unusual_rows(FRAME, COLUMNS, scores, 0.5)
    assert len(found.rows) == 10
    assert [row.score for row in found.rows] == sorted(scores[-10:], reverse=True)
    assert all(next(iter(row.values)) == "heat" for row in found.rows)


def test_columns_that_are_not_to_be_shown_are_nowhere(scores: np.ndarray, answers: Predictions) -> None:
    found = unusual_rows(FRAME, COLUMNS[1:], scores, 0.5)
    assert all("heat" not in row.values for row in found.rows)
    portraits = cluster_portraits(FRAME, COLUMNS[1:], answers)
    assert all(trait.feature != "heat" for one in portraits for trait in one.traits)


def test_scores_beyond_0_and_1_and_missing_values_are_shown_as_they_are() -> None:
    frame = FRAME.assign(heat=FRAME["heat"].where(np.arange(ROWS) != 3))
    wild = np.linspace(-5, 7, ROWS)
    wild[3] = 9.0
    found = unusual_rows(frame, COLUMNS, wild, 1.0)
    assert (found.edges[0], found.edges[-1]) == (-5, 9)
    assert found.rows[0].values["heat"] == "(missing)"
