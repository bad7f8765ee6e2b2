"""McNemar's and DeLong's tests against figures worked out elsewhere, and what they must always hold."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binom
from sklearn.metrics import roc_auc_score

from registry.problems import NotComparable
from registry.problems.paired import delong, mcnemar


def right(both: int, ours: int, theirs: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Which rows each of two versions gets right."""
    a = np.array([True] * (both + ours) + [False] * (theirs + neither))
    b = np.array([True] * both + [False] * ours + [True] * theirs + [False] * neither)
    return a, b


def test_mcnemar_counts_only_rows_on_which_the_two_differ() -> None:
    found = mcnemar(*right(60, 4, 16, 20))
    assert found.p_value == pytest.approx(2 * binom.cdf(4, 20, 0.5))
    assert found.difference == pytest.approx(-0.12)
    assert [found.candidate, found.champion] == pytest.approx([0.64, 0.76])
    assert found.test == "McNemar"


def test_the_interval_is_that_of_bonett_and_price() -> None:
    found = mcnemar(*right(60, 4, 16, 20))
    up, down = 5 / 102, 17 / 102
    reach = 1.6448536 * np.sqrt((up + down - (up - down) ** 2) / 102)
    assert [found.low, found.high] == pytest.approx([up - down - reach, up - down + reach], abs=1e-6)


@pytest.mark.parametrize(("lost", "passed"), [(0, True), (4, True), (40, False)])
def test_a_proven_loss_does_not_pass(lost: int, passed: bool) -> None:
    assert mcnemar(*right(500, 4, lost, 20)).passed is passed


def test_a_loss_that_few_rows_cannot_rule_out_does_not_pass() -> None:
    assert not mcnemar(*right(20, 1, 1, 2)).passed
    assert mcnemar(*right(2000, 1, 1, 2)).passed


def test_two_alike_differ_by_nothing() -> None:
    found = mcnemar(*right(30, 0, 0, 10))
    assert (found.difference, found.p_value) == (0, 1)


@pytest.mark.parametrize(("a", "b"), [([True], [True]), ([True, False], [True])])
def test_too_few_or_other_rows_are_not_compared(a: list[bool], b: list[bool]) -> None:
    with pytest.raises(NotComparable, match="same two rows"):
        mcnemar(np.array(a), np.array(b))


def drawn(rows: int = 200, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of two classes, and scores of which the first tell them apart better."""
    draw = np.random.default_rng(seed)
    truth = draw.random(rows) < 0.4
    base = draw.normal(size=rows) + truth
    return truth, base + draw.normal(scale=0.3, size=rows), base + draw.normal(scale=2, size=rows)


def test_the_areas_are_those_of_scikit_learn() -> None:
    truth, ours, theirs = drawn()
    found = delong(truth, np.round(ours, 1), theirs)
    assert found.candidate == pytest.approx(roc_auc_score(truth, np.round(ours, 1)))
    assert found.champion == pytest.approx(roc_auc_score(truth, theirs))


def test_delongs_interval_is_about_what_resampling_says() -> None:
    truth, ours, theirs = drawn(300)
    found = delong(truth, ours, theirs)
    draw, differences = np.random.default_rng(1), []
    true, false = np.flatnonzero(truth), np.flatnonzero(~truth)
    for _ in range(800):
        rows = np.concatenate([draw.choice(true, len(true)), draw.choice(false, len(false))])
        differences.append(roc_auc_score(truth[rows], ours[rows]) - roc_auc_score(truth[rows], theirs[rows]))
    low, high = np.quantile(differences, [0.05, 0.95])
    assert [found.low, found.high] == pytest.approx([low, high], abs=0.015)
    assert found.p_value is not None
    assert found.p_value < 0.05


def test_the_same_scores_differ_by_nothing_for_certain() -> None:
    truth, ours, _ = drawn()
    found = delong(truth, ours, ours)
    assert (found.difference, found.low, found.high, found.p_value) == (0, 0, 0, 1)
    assert found.passed


@pytest.mark.parametrize("truth", [[True, True, False], [False] * 5])
def test_one_sided_rows_have_no_area(truth: list[bool]) -> None:
    scores = np.arange(len(truth), dtype="float64")
    with pytest.raises(NotComparable, match="two rows of each class"):
        delong(np.array(truth), scores, scores)


def test_a_score_that_is_no_number_is_refused() -> None:
    truth, ours, theirs = drawn()
    with pytest.raises(NotComparable, match="not a finite number"):
        delong(truth, np.where(np.arange(len(ours)) == 3, np.nan, ours), theirs)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000))
def test_turning_the_two_round_turns_the_verdict_round(seed: int) -> None:
    truth, ours, theirs = drawn(60, seed)
    one, other = delong(truth, ours, theirs), delong(truth, theirs, ours)
    assert one.difference == pytest.approx(-other.difference)
    assert one.low == pytest.approx(-other.high)
    assert one.p_value == pytest.approx(other.p_value)
    assert one.low <= one.difference <= one.high
