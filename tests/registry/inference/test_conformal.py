import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.inference.conformal import (
    Conformal,
    calibrate_classes,
    calibrate_regression,
    calibration,
    class_scores,
    class_sets,
    inside_sets,
    intervals,
    set_coverage,
)
from registry.tabular.errors import TooFewRows


def test_the_radius_by_hand() -> None:
    """Of nine errors 1 to 9 the ceil(10 * 0.8) = 8th."""
    found = calibrate_regression(np.arange(1.0, 10), np.zeros(9), coverage=0.8)
    assert found == Conformal(0.8, 8.0, 9)
    low, high = intervals(np.array([100.0]), found)
    assert (low[0], high[0]) == (92, 108)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.5, 0.8, 0.9, 0.95]))
def test_intervals_hold_the_truth_as_often_as_they_say(seed: int, coverage: float) -> None:
    rng = np.random.default_rng(seed)
    truth = rng.standard_t(3, 6000)  # heavy tails, and a model that knows nothing
    found = calibrate_regression(truth[:3000], np.zeros(3000), coverage)
    low, high = intervals(np.zeros(3000), found)
    held = ((truth[3000:] >= low) & (truth[3000:] <= high)).mean()
    assert held == pytest.approx(coverage, abs=0.045)  # four deviations of two samples of 3,000


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.8, 0.9]))
def test_sets_hold_the_true_class_as_often_as_they_say(seed: int, coverage: float) -> None:
    rng = np.random.default_rng(seed)
    chances = rng.dirichlet([0.5] * 4, 4000)
    classes = ["a", "b", "c", "d"]
    truth = np.array([rng.choice(classes, p=row) for row in chances], dtype=object)
    found = calibrate_classes(truth[:2000], chances[:2000], classes, coverage)
    sets = class_sets(chances[2000:], classes, found)
    held = np.mean([label in chosen for label, chosen in zip(truth[2000:], sets, strict=True)])
    assert held >= coverage - 0.045


def test_a_sure_row_has_a_smaller_set_than_a_doubtful_one() -> None:
    found = Conformal(0.9, 0.7, 100)
    sets = class_sets(np.array([[0.9, 0.06, 0.04], [0.4, 0.35, 0.25]]), ["a", "b", "c"], found)
    assert sets == [["a"], ["a", "b"]]


def test_a_set_is_never_empty() -> None:
    assert class_sets(np.array([[0.6, 0.4]]), ["a", "b"], Conformal(0.1, 0.2, 10)) == [["a"]]


def test_too_few_rows_for_the_promise_are_refused() -> None:
    with pytest.raises(TooFewRows, match="at least 9 can"):
        calibrate_regression(np.zeros(8), np.zeros(8), 0.9)
    assert calibrate_regression(np.zeros(9), np.zeros(9), 0.9).rows == 9


@pytest.mark.parametrize("coverage", [0.0, 1.0, 1.5])
def test_a_senseless_coverage_is_refused(coverage: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibrate_regression(np.zeros(50), np.zeros(50), coverage)


@pytest.mark.parametrize("rows", [9, 999, 1000, 1001, 12_345])
def test_a_thinned_calibration_is_never_narrower_and_hardly_wider(rows: int) -> None:
    scores = np.random.default_rng(0).exponential(size=rows)
    kept, ordered = calibration(scores), np.sort(scores)
    assert len(kept.scores) <= 1000
    for coverage in (0.5, 0.8, 0.89):
        rank = int(np.ceil(round((rows + 1) * coverage, 9)))
        radius = kept.at(coverage).radius
        assert radius >= ordered[rank - 1]
        assert radius <= ordered[min(rank + rows // 1000, rows - 1)]


@pytest.mark.parametrize("k", [2, 3, 6])
@pytest.mark.parametrize("coverage", [0.5, 0.8, 0.95])
def test_what_sets_hold_is_counted_without_writing_them_out(k: int, coverage: float) -> None:
    rng = np.random.default_rng(k)
    chances = np.round(rng.dirichlet([0.6] * k, 400), 2)  # rounded: ties
    classes = [f"c{place}" for place in range(k)]
    truth = np.asarray([*classes, "unknown"], dtype=object)[rng.integers(0, k + 1, 400)]
    found = calibrate_classes(truth[:200], chances[:200], classes, coverage=min(coverage, 0.7))
    sets = class_sets(chances, classes, found)
    held, sizes = set_coverage(truth, chances, classes, found)
    assert held.tolist() == [label in chosen for label, chosen in zip(truth, sets, strict=True)]
    assert sizes.tolist() == [len(chosen) for chosen in sets]
    inside = inside_sets(chances, found)
    for row, chosen in enumerate(sets):
        assert {classes[place] for place in np.flatnonzero(inside[row])} == set(chosen)
        likelihoods = [chances[row][classes.index(label)] for label in chosen]
        assert likelihoods == sorted(likelihoods, reverse=True)


def test_the_score_of_a_true_class_is_what_lies_on_likelier_ones() -> None:
    chances = np.array([[0.5, 0.3, 0.2], [0.2, 0.2, 0.6]])
    scores = class_scores(np.array(["c", "b"], dtype=object), chances, ["a", "b", "c"])
    assert scores == pytest.approx([0.8, 0.8])  # of two alike the first counts as likelier
    two = np.array([[0.5, 0.5], [0.3, 0.7], [0.3, 0.7]])
    scores = class_scores(np.array(["b", "a", "?"], dtype=object), two, ["a", "b"])
    assert scores == pytest.approx([0.5, 0.7, 2.0])
