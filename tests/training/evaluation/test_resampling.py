"""The weighted metrics are the platform's own; the intervals hold what they should."""

import numpy as np
import pytest

from registry.problems import Predictions, get_problem
from training.evaluation.coded import ClassAnswers, NumberAnswers, coded
from training.evaluation.resampling import (
    LABEL_METRICS,
    draws,
    label_scores,
    metric_intervals,
    probability_scores,
    scores_of,
    weighted_numbers,
)


def answers(rng: np.random.Generator, n: int, classes: list[str]) -> tuple[np.ndarray, Predictions]:
    raw = np.round(rng.dirichlet([0.7] * len(classes), n), 2)  # rounded: ties
    chances = raw / raw.sum(axis=1, keepdims=True)
    labels = np.asarray(classes, dtype=object)
    mixed = np.where(rng.random(n) < 0.6, chances.argmax(axis=1), rng.integers(0, len(classes), n))
    return labels[mixed], Predictions(labels[chances.argmax(axis=1)], chances, classes)


def written_out(weights: np.ndarray) -> list[np.ndarray]:
    """The rows that each line of weights stands for."""
    return [np.repeat(np.arange(len(line)), line.astype(int)) for line in weights]


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_each_resample_scores_as_if_its_rows_were_written_out(classes: list[str]) -> None:
    problem = get_problem("classification")
    truth, said = answers(np.random.default_rng(1), 60, classes)
    together = coded(problem, truth, said)
    assert isinstance(together, ClassAnswers)
    weights = np.vstack([np.ones((1, 60)), *draws(60, 20, np.random.default_rng(3))])
    found = probability_scores(together, iter([weights]))
    for line, rows in enumerate(written_out(weights)):
        expected = problem.score(truth[rows], said.take(rows))
        assert set(expected) == set(found) | LABEL_METRICS
        assert {name: found[name][line] for name in found} == pytest.approx(
            {name: expected[name] for name in found}
        )


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_each_draw_of_cells_scores_as_if_its_rows_were_written_out(classes: list[str]) -> None:
    problem, rng = get_problem("classification"), np.random.default_rng(6)
    truth, said = answers(rng, 60, classes)
    together = coded(problem, truth, said)
    assert isinstance(together, ClassAnswers)
    drawn = np.vstack([rng.multinomial(60, together.counts() / 60, size=20), np.eye(len(together.cells))])
    found = label_scores(together, drawn.astype("float64"))
    for line, counts in enumerate(drawn.astype(int)):
        of_truth, of_said = np.divmod(np.repeat(together.cells, counts), len(together.labels))
        names = np.asarray(together.labels, dtype=object)
        expected = problem.score(names[of_truth], Predictions(names[of_said]))
        assert {name: found[name][line] for name in found} == pytest.approx(expected)


def test_as_many_rows_are_drawn_as_there_are_and_each_as_often_as_any_other() -> None:
    lines = np.vstack(list(draws(50, 2000, np.random.default_rng(0))))
    assert lines.shape == (2000, 50)
    assert (lines.sum(axis=1) == 50).all()
    assert lines.mean(axis=0) == pytest.approx(np.ones(50), abs=0.1)
    assert lines.var(axis=0).mean() == pytest.approx(1 - 1 / 50, abs=0.02)  # that of a multinomial


def test_each_resample_of_numbers_scores_as_if_its_rows_were_written_out() -> None:
    problem, rng = get_problem("regression"), np.random.default_rng(2)
    truth = rng.normal(50, 5, 41)
    said = Predictions(truth + rng.normal(0, 2, 41))
    weights = np.vstack(list(draws(41, 20, rng)))
    together = coded(problem, truth, said)
    assert isinstance(together, NumberAnswers)
    found = weighted_numbers(together)(weights)
    for line, rows in enumerate(written_out(weights)):
        expected = problem.score(truth[rows], said.take(rows))
        assert {name: found[name][line] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("classes", [["no", "yes"], ["a", "b", "c"]])
def test_scores_of_a_part_are_the_problem_s_own(classes: list[str]) -> None:
    problem = get_problem("classification")
    truth, said = answers(np.random.default_rng(9), 45, classes)
    together = coded(problem, truth, said)
    assert together is not None
    for rows in (np.arange(45), np.flatnonzero(truth == classes[0]), np.arange(0, 45, 7), np.arange(0)):
        expected = problem.score(truth[rows], said.take(rows))
        assert scores_of(together.take(rows)) == pytest.approx(expected)


def test_scores_of_a_part_of_numbers_are_the_problem_s_own() -> None:
    problem, rng = get_problem("regression"), np.random.default_rng(3)
    truth = np.round(rng.normal(0, 2, 60))
    said = Predictions(truth + rng.normal(0, 1, 60))
    together = coded(problem, truth, said)
    assert together is not None
    for rows in (np.arange(60), np.flatnonzero(truth != 0), np.flatnonzero(truth == 1), np.arange(0)):
        expected = problem.score(truth[rows], said.take(rows))
        assert scores_of(together.take(rows)) == pytest.approx(expected)


def test_answers_may_hold_labels_that_the_model_does_not_know() -> None:
    problem = get_problem("classification")
    truth = np.asarray(["a", "b", "new", "b", "new", "a"], dtype=object)
    chances = np.asarray([[0.9, 0.1], [0.2, 0.8], [0.5, 0.5], [0.6, 0.4], [0.3, 0.7], [0.7, 0.3]])
    said = Predictions(np.asarray(["a", "b", "a", "a", "b", "a"], dtype=object), chances, ["a", "b"])
    together = coded(problem, truth, said)
    assert together is not None
    assert scores_of(together) == pytest.approx(problem.score(truth, said))


def test_labels_may_come_as_numbers() -> None:
    problem = get_problem("classification")
    truth, said = np.asarray([0, 1, 1, 0]), np.asarray(["0", "1", "0", "0"], dtype=object)
    together = coded(problem, truth, Predictions(said))
    assert together is not None
    assert scores_of(together)["accuracy"] == 0.75


def test_a_kind_of_problem_without_truths_has_neither_codes_nor_intervals() -> None:
    problem, labels = get_problem("clustering"), np.asarray(["0", "1", "1"], dtype=object)
    assert coded(problem, labels, Predictions(labels)) is None
    assert metric_intervals(problem, labels, Predictions(labels)) == {}


@pytest.mark.parametrize("metric", ["f1", "mcc", "roc_auc", "average_precision", "log_loss", "ece"])
def test_an_interval_is_that_of_a_bootstrap_row_by_row(metric: str) -> None:
    """The textbook way: draw rows, score them, take the percentiles."""
    problem, rng = get_problem("classification"), np.random.default_rng(11)
    truth, said = answers(rng, 300, ["no", "yes"])
    low, high = metric_intervals(problem, truth, said, seed=1)[metric]
    values = []
    for _ in range(500):
        rows = rng.integers(0, 300, 300)
        values.append(problem.score(truth[rows], said.take(rows))[metric])
    expected = np.quantile(values, [0.025, 0.975])
    assert [low, high] == pytest.approx(expected, abs=0.25 * (expected[1] - expected[0]))


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
