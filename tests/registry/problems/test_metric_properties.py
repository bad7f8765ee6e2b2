"""The metrics against scikit-learn on whatever data, and what holds for them."""

import math
import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics

from registry.problems import InvalidOutcome, Predictions, get_problem, paired_bootstrap

QUICK = settings(max_examples=60, deadline=None)
CLASSIFICATION, REGRESSION = get_problem("classification"), get_problem("regression")
labels = st.sampled_from(["a", "b", "c", "d"])
labelled = st.lists(st.tuples(labels, labels), min_size=1, max_size=60)
numbers = st.floats(-1e6, 1e6).map(lambda number: round(number, 3))
measured = st.lists(st.tuples(numbers, numbers), min_size=2, max_size=60)
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.lists(st.integers()),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2), st.binary(max_size=3),
)  # fmt: skip


def split(pairs: list[tuple[Any, Any]], dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    truth, answers = zip(*pairs, strict=True)
    return np.asarray(truth, dtype=dtype), np.asarray(answers, dtype=dtype)


@QUICK
@given(labelled)
def test_label_metrics_are_those_of_scikit_learn(pairs: list[tuple[str, str]]) -> None:
    truth, answers = split(pairs, object)
    y, p = truth.astype(str), answers.astype(str)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it warns of classes that nobody predicted
        expected = {
            "accuracy": metrics.accuracy_score(y, p),
            "balanced_accuracy": metrics.balanced_accuracy_score(y, p),
            "mcc": metrics.matthews_corrcoef(y, p),
        }
        for end, average in (("", "macro"), ("_weighted", "weighted")):
            mean = {"average": average, "zero_division": 0}
            expected["precision" + end] = metrics.precision_score(y, p, **mean)
            expected["recall" + end] = metrics.recall_score(y, p, **mean)
            expected["f1" + end] = metrics.f1_score(y, p, **mean)
    assert CLASSIFICATION.score(truth, Predictions(answers)) == pytest.approx(expected)


@QUICK
@given(labelled, st.integers(0, 2**32 - 1))
def test_probability_metrics_are_those_of_scikit_learn(pairs: list[tuple[str, str]], seed: int) -> None:
    truth, answers = split(pairs, object)
    known = ["a", "b", "c", "d"]
    chances = np.random.default_rng(seed).dirichlet([1.0] * 4, len(pairs))
    scores = CLASSIFICATION.score(truth, Predictions(answers, chances, known))
    y = truth.astype(str)
    assert scores["log_loss"] == pytest.approx(metrics.log_loss(y, chances, labels=known))
    assert scores["brier"] == pytest.approx(metrics.brier_score_loss(y, chances, labels=known))
    if set(y) == set(known):
        assert scores["roc_auc"] == pytest.approx(metrics.roc_auc_score(y, chances, multi_class="ovr"))


@QUICK
@given(measured)
def test_error_metrics_are_those_of_scikit_learn(pairs: list[tuple[float, float]]) -> None:
    truth, answers = split(pairs, "float64")
    scores = REGRESSION.score(truth, Predictions(answers))
    assert scores["mae"] == pytest.approx(metrics.mean_absolute_error(truth, answers))
    assert scores["rmse"] == pytest.approx(metrics.root_mean_squared_error(truth, answers))
    assert scores["median_absolute_error"] == pytest.approx(metrics.median_absolute_error(truth, answers))
    if len(set(truth)) > 1:
        assert scores["r2"] == pytest.approx(metrics.r2_score(truth, answers), rel=1e-6, abs=1e-9)
    assert ("mape" in scores) == bool((truth != 0).all())


@QUICK
@given(labelled, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(pairs: list[tuple[str, str]], random: Any) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)
    scores = [
        CLASSIFICATION.score(truth, Predictions(answers))
        for truth, answers in (split(pairs, object), split(shuffled, object))
    ]
    assert scores[0] == pytest.approx(scores[1])


@QUICK
@given(labelled)
def test_the_row_scores_add_up_to_the_accuracy(pairs: list[tuple[str, str]]) -> None:
    truth, answers = split(pairs, object)
    rows = CLASSIFICATION.row_scores(truth, Predictions(answers))
    assert rows.mean() == pytest.approx(CLASSIFICATION.score(truth, Predictions(answers))["accuracy"])


@pytest.mark.parametrize("problem", [CLASSIFICATION, REGRESSION], ids=lambda problem: problem.key)
@QUICK
@given(value=anything)
def test_an_outcome_is_understood_or_refused_and_nothing_else(problem: Any, value: object) -> None:
    classes = ["no", "yes", "1"] if problem is CLASSIFICATION else None
    try:
        parsed = problem.parse_outcome(value, classes)
    except InvalidOutcome:
        return
    assert parsed in classes if classes else math.isfinite(parsed)


@QUICK
@given(value=anything)
def test_an_outcome_that_was_understood_is_understood_the_same_again(value: object) -> None:
    classes = ["no", "yes", "1"]
    try:
        parsed = CLASSIFICATION.parse_outcome(value, classes)
    except InvalidOutcome:
        return
    assert CLASSIFICATION.parse_outcome(parsed, classes) == parsed


@QUICK
@given(measured)
def test_the_interval_holds_the_mean_and_turns_with_its_sides(pairs: list[tuple[float, float]]) -> None:
    ours, theirs = split(pairs, "float64")
    found, turned = paired_bootstrap(ours, theirs, n=200), paired_bootstrap(theirs, ours, n=200)
    slack = 1e-6 * (1 + abs(found.mean))
    lowest, highest = (ours - theirs).min(), (ours - theirs).max()
    assert lowest - slack <= found.low <= found.high <= highest + slack
    assert turned.mean == pytest.approx(-found.mean)
