"""Models that answer together."""

import numpy as np
import pytest

from registry.problems import get_problem
from training.automl.ensemble import as_predictions, choose_members, cross_fitted
from training.automl.scoring import CLASSES, NUMBERS, codes_of

RNG = np.random.default_rng(0)
TRUTH = RNG.normal(size=300)


def noisy(scale: float) -> np.ndarray:
    return TRUTH + RNG.normal(scale=scale, size=300)


def test_unlike_members_are_better_together_than_the_best_alone() -> None:
    answers = [noisy(0.5), noisy(0.6), noisy(5.0)]

    def value(answer: np.ndarray) -> float:
        return NUMBERS["r2"](TRUTH, answer)

    weights = choose_members(answers, value)
    assert sum(weights.values()) == pytest.approx(1)
    assert {0, 1} <= set(weights)
    assert weights.get(2, 0) < 0.1
    together = sum(weight * answers[place] for place, weight in weights.items())
    assert value(np.asarray(together)) > max(value(answer) for answer in answers) + 0.02


def test_weights_are_not_judged_by_the_rows_that_chose_them() -> None:
    answers = [RNG.normal(size=300) for _ in range(20)]  # all of them worthless
    folds = np.array_split(np.arange(300), 5)

    def score(truth: np.ndarray, answer: np.ndarray) -> float:
        return NUMBERS["r2"](truth, answer)

    weights = choose_members(answers, lambda answer: score(TRUTH, answer))
    flattered = score(TRUTH, np.asarray(sum(w * answers[place] for place, w in weights.items())))
    honest = score(TRUTH, cross_fitted(answers, TRUTH, folds, score))
    assert honest < flattered - 0.01


@pytest.mark.parametrize("k", [2, 3])
def test_quick_metrics_of_classes_agree_with_the_problems(k: int) -> None:
    classes = ["a", "b", "c"][:k]
    truth = RNG.choice(np.array(classes, dtype=object), 200)
    answer = RNG.dirichlet(np.ones(k), 200)
    slow = get_problem("classification").score(truth, as_predictions(answer, classes))
    codes = codes_of(truth, classes)
    assert {name: quick(codes, answer) for name, quick in CLASSES.items()} == pytest.approx(
        {name: slow[name] for name in CLASSES}
    )


def test_quick_metrics_of_numbers_agree_with_the_problems() -> None:
    answer = noisy(1.0)
    slow = get_problem("regression").score(TRUTH, as_predictions(answer, None))
    assert {name: quick(TRUTH, answer) for name, quick in NUMBERS.items()} == pytest.approx(
        {name: slow[name] for name in NUMBERS}
    )
