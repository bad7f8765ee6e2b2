import numpy as np
import pytest

from registry.problems import Predictions, get_problem
from training.evaluation import TooFewRows, bootstrap_interval

PROBLEM = get_problem("classification")


def accuracy(truth: np.ndarray, predictions: Predictions) -> float | None:
    return PROBLEM.score(truth, predictions).get("accuracy")


def test_the_interval_surrounds_the_score_and_narrows_with_rows() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (50, 5000):
        truth = rng.choice(["a", "b"], n).astype(object)
        answers = np.where(rng.random(n) < 0.8, truth, "c").astype(object)
        found = bootstrap_interval(truth, Predictions(answers), accuracy, n=200)
        assert found.low <= found.value <= found.high
        widths.append(found.high - found.low)
    assert widths[1] < widths[0] / 5


def test_resamples_without_a_score_are_left_out() -> None:
    truth = np.asarray(["a", "a", "a", "b"], dtype=object)
    probabilities = np.asarray([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.2, 0.8]])
    answers = Predictions(truth, probabilities, ["a", "b"])
    found = bootstrap_interval(truth, answers, lambda y, p: PROBLEM.score(y, p).get("roc_auc"), n=100)
    assert 0 < found.resamples < 100


def test_an_undefined_score_is_refused() -> None:
    one = Predictions(np.asarray(["a"], dtype=object))
    with pytest.raises(TooFewRows):
        bootstrap_interval(["a"], one, accuracy)
