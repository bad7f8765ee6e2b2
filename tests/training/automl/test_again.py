"""The second look at the best of a search on few rows."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import pytest

from registry.problems import get_problem
from registry.tabular.schema import coerce_frame, infer_schema
from training.automl.again import FEW_ROWS, REPEATS, looked_again, other_folds, with_look
from training.automl.budget import AutoMLSettings
from training.automl.deciding import Decision, Threshold
from training.automl.field import Field
from training.automl.race import Race
from training.automl.search import AS_IT_IS, cross_validate
from training.automl.study import Candidate
from training.automl.trials import TrialResult, TrialSpec
from training.evaluation import folds
from training.evaluation.splits import arranged_folds

PROBLEM = get_problem("classification")
METRIC = PROBLEM.metric("log_loss")
ROWS, FOLDS = 90, 3
RNG = np.random.default_rng(3)
FRAME = pd.DataFrame({"a": RNG.normal(size=ROWS), "b": RNG.normal(size=ROWS)})
LABELS = pd.Series(np.where(FRAME["a"] + RNG.normal(size=ROWS) > 0, "yes", "no"), dtype=object)
DIVIDE = partial(folds, LABELS, PROBLEM, FOLDS)


def field(decision: Decision = AS_IT_IS) -> Field:
    columns = infer_schema(FRAME)
    again = other_folds(ROWS, DIVIDE, 0)
    return Field(coerce_frame(FRAME, columns), LABELS, columns, PROBLEM, DIVIDE(0), 0, decision, again=again)


def first_look(given: Field, *algorithms: str) -> list[tuple[Any, TrialResult]]:
    def one(key: str) -> TrialResult:
        return cross_validate(
            TrialSpec(key),
            given.features,
            LABELS,
            given.columns,
            PROBLEM,
            given.folds,
            0,
            metric=METRIC,
            decision=given.decision,
        )

    return [(key, one(key)) for key in algorithms]


def enough() -> float:
    return 100.0


def for_looks(count: int) -> Callable[[], float]:
    """A clock with time for so many folds' looks at it."""
    left = iter([100.0] * (count + 1))
    return lambda: next(left, -1.0)


class Follower:
    """Keeps what is revised and noted."""

    def __init__(self) -> None:
        self.revisions: list[int] = []
        self.notes: list[str] = []
        self.count = 0

    def check(self) -> None:
        """Never stop."""

    def begun(self, spec: TrialSpec, share: float) -> int:
        """Number the trials."""
        self.count += 1
        return self.count

    def fold(self, trial: int, index: int, scores: dict[str, float], done: float) -> None:
        """Nothing."""

    def ended(self, trial: int, result: TrialResult) -> None:
        """Nothing."""

    def revised(self, trial: int, result: TrialResult) -> None:
        """Keep which."""
        self.revisions.append(trial)

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


def test_few_rows_are_divided_again_and_many_are_not() -> None:
    again = other_folds(ROWS, DIVIDE, 0)
    assert len(again) == REPEATS
    tests = [tuple(map(tuple, (test for _, test in parts))) for parts in (DIVIDE(0), *again)]
    assert len(set(tests)) == REPEATS + 1
    assert other_folds(FEW_ROWS, DIVIDE, 0) == ()


def test_folds_in_order_of_time_are_not_divided_again() -> None:
    moments = pd.Series(pd.date_range("2026-01-01", periods=ROWS))
    assert other_folds(ROWS, partial(arranged_folds, LABELS, PROBLEM, moments, FOLDS), 0) == ()


def test_a_second_look_is_the_mean_over_all_folds() -> None:
    given = field()
    ranked = first_look(given, "logistic_regression", "naive_bayes")
    found = looked_again(ranked, given, METRIC, lambda: None, enough)
    assert [trial for trial, _ in found] == [trial for trial, _ in ranked]
    for (_, before), (_, after) in zip(ranked, found, strict=True):
        assert after.fold_scores[:FOLDS] == before.fold_scores
        assert len(after.fold_scores) == FOLDS * (1 + REPEATS)
        assert after.mean == pytest.approx(np.mean([fold["log_loss"] for fold in after.fold_scores]))
        assert len(after.again) == REPEATS
        assert after.fit_seconds > before.fit_seconds


def test_a_round_without_time_for_all_counts_for_none() -> None:
    given = field()
    ranked = first_look(given, "logistic_regression", "naive_bayes")
    for folds_in_time, looks in ((2 * FOLDS - 1, 1), (2 * FOLDS, 2), (4 * FOLDS - 1, 2), (4 * FOLDS, 3)):
        found = looked_again(ranked, given, METRIC, lambda: None, for_looks(folds_in_time))
        assert {len(result.fold_scores) for _, result in found} == {looks * FOLDS}


def test_nobody_is_looked_at_again_where_the_time_is_not_enough_for_two() -> None:
    given = field()
    ranked = first_look(given, "logistic_regression", "naive_bayes")
    assert looked_again(ranked, given, METRIC, lambda: None, lambda: 1e-6) == []


def test_who_is_only_lucky_on_the_first_folds_does_not_win() -> None:
    lucky = TrialResult("knn", {}, [{"log_loss": 0.1}] * 3, 0.1, 0.0, 1.0)
    steady = TrialResult("ridge", {}, [{"log_loss": 0.2}] * 3, 0.2, 0.0, 1.0)
    bad = TrialResult("knn", {}, [{"log_loss": 0.6}] * 3, 0.6, 0.0, 1.0)
    assert with_look(lucky, bad, METRIC).mean == pytest.approx(0.35)
    again = with_look(steady, steady, METRIC)
    assert again.mean == pytest.approx(0.2)
    assert again.fit_seconds == pytest.approx(2.0)


@pytest.mark.parametrize("decision", [AS_IT_IS, Decision(threshold=Threshold(metric="f1"))])
def test_a_race_on_few_rows_looks_at_its_best_again_and_tells_so(decision: Decision) -> None:
    follower = Follower()
    candidates = [Candidate("logistic_regression"), Candidate("naive_bayes"), Candidate("svm")]
    settings = AutoMLSettings(seconds=300, trials=5, metric="log_loss")
    run = Race(field(decision), settings, candidates, follower, began=0.0, clock=lambda: 0.0)
    best = run.run()
    assert best is not None
    assert "cross-validated again, on other folds" in follower.notes[-1]
    assert sorted(follower.revisions) == [1, 2, 3, 4, 5]
    assert {one.algorithm for _, one in run.ranked()} >= {"ensemble"}
    assert {len(one.fold_scores) for _, one in run.ranked()} == {FOLDS * (1 + REPEATS)}


def test_who_was_not_looked_at_again_comes_after_those_that_were() -> None:
    run = Race(field(), AutoMLSettings(seconds=300), [Candidate("svm")], Follower(), began=0.0)
    looked = TrialResult("svm", {}, [{"log_loss": 0.3}] * 9, 0.3, 0.0, 1.0)
    passed_over = TrialResult("knn", {}, [{"log_loss": 0.2}] * 3, 0.2, 0.0, 1.0)
    run.results = [(1, passed_over, 1.0), (2, looked, 1.0)]
    assert [trial for trial, _ in run.ranked()] == [2, 1]
