"""The weighted metrics are the platform's own; the intervals hold what they should."""

import numpy as np
import pytest

from registry.problems import Predictions, get_problem
from training.evaluation.resampling import WEIGHTED, draws, metric_intervals, quick_scores


def answers(rng: np.random.Generator, n: int, classes: list[str]) -> tuple[np.ndarray, Predictions]:
    raw = np.round(rng.dirichlet([0.7] * len(classes), n), 2)  # rounded: ties
    chances = raw / raw.sum(axis=1, keepdims=True)
    labels = np.asarray(classes, dtype=object)
    mixed = np.where(rng.random(n) < 0.6, chances.argmax(axis=1), rng.integers(0, len(classes), n))
    return labels[mixed], Predictions(labels[chances.argmax(axis=1)], chances, classes)


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_each_resample_scores_as_if_its_rows_were_written_out(classes: list[str]) -> None:
    problem = get_problem("classification")
    truth, said = answers(np.random.default_rng(1), 60, classes)
    weights = np.vstack([np.ones(60), draws(60, 20, seed=3)])
    found = WEIGHTED["classification"](truth, said, weights, None)
    for line, drawn in enumerate(weights):
        rows = np.repeat(np.arange(60), drawn.astype(int))
        expected = problem.score(truth[rows], said.take(rows))
        assert set(expected) == set(found)
        assert {name: found[name][line] for name in expected} == pytest.approx(expected)


def test_each_resample_of_numbers_scores_as_if_its_rows_were_written_out() -> None:
    problem, rng = get_problem("regression"), np.random.default_rng(2)
    truth = rng.normal(50, 5, 41)
    said = Predictions(truth + rng.normal(0, 2, 41))
    weights = draws(41, 20, seed=3)
    found = WEIGHTED["regression"](truth, said, weights, None)
    for line, drawn in enumerate(weights):
        rows = np.repeat(np.arange(41), drawn.astype(int))
        expected = problem.score(truth[rows], said.take(rows))
        assert {name: found[name][line] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_quick_scores_are_the_problem_s_own(classes: list[str]) -> None:
    problem = get_problem("classification")
    truth, said = answers(np.random.default_rng(9), 45, classes)
    for rows in (np.arange(45), np.flatnonzero(truth == classes[0])):
        found = quick_scores(problem, truth[rows], said.take(rows))
        assert found == pytest.approx(problem.score(truth[rows], said.take(rows)))


def test_intervals_hold_the_true_value_as_often_as_they_say() -> None:
    """Of a model that is right in 80 % of all rows."""
    problem, rng, held = get_problem("classification"), np.random.default_rng(0), 0
    for seed in range(100):
        truth = rng.choice(["a", "b"], 200).astype(object)
        said = np.where(rng.random(200) < 0.8, truth, np.where(truth == "a", "b", "a")).astype(object)
        low, high = metric_intervals(problem, truth, Predictions(said), names=["accuracy"], seed=seed)[
            "accuracy"
        ]
        held += low <= 0.8 <= high
    assert 88 <= held <= 100


def test_what_is_not_defined_has_no_interval() -> None:
    problem = get_problem("classification")
    truth = np.asarray(["a"] * 30, dtype=object)
    found = metric_intervals(problem, truth, Predictions(truth, np.ones((30, 1)), ["a"]))
    assert found["accuracy"] == (1.0, 1.0)
    assert "roc_auc" not in found
    assert metric_intervals(problem, truth[:1], Predictions(truth[:1])) == {}


def test_the_same_seed_gives_the_same_interval() -> None:
    problem = get_problem("classification")
    truth, said = answers(np.random.default_rng(4), 80, ["a", "b"])
    assert metric_intervals(problem, truth, said, seed=5) == metric_intervals(problem, truth, said, seed=5)
