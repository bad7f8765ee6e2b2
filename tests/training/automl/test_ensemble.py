"""Models that answer together."""

import numpy as np
import pytest

from registry.problems import get_problem
from training.automl.ensemble import as_predictions, bagged_members, choose_members
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


def test_bagged_weights_are_worth_more_on_unseen_rows_than_one_greedy_choice() -> None:
    rows, gained = 40, []
    for seed in range(10):
        rng = np.random.default_rng(seed)
        truth, shared = rng.normal(size=1000), rng.normal(scale=0.5, size=1000)
        answers = [truth + shared + rng.normal(scale=0.5, size=1000) for _ in range(20)]
        few = [one[:rows] for one in answers]

        def value(answer: np.ndarray, seen: np.ndarray = truth[:rows]) -> float:
            return NUMBERS["r2"](seen, answer)

        def unseen(
            weights: dict[int, float], truth: np.ndarray = truth, answers: list[np.ndarray] = answers
        ) -> float:
            together = sum(weight * answers[place][rows:] for place, weight in weights.items())
            return NUMBERS["r2"](truth[rows:], np.asarray(together))

        bagged = bagged_members(few, value, 8, seed)
        assert sum(bagged.values()) == pytest.approx(1)
        assert len(bagged) <= 8
        assert bagged == bagged_members(few, value, 8, seed)
        gained.append(unseen(bagged) - unseen(choose_members(few, value)))
    assert np.mean(gained) > 0


def test_two_bags_of_three_answers_are_one_choice() -> None:
    answers = [noisy(0.5), noisy(0.6), noisy(0.7)]

    def value(answer: np.ndarray) -> float:
        return NUMBERS["r2"](TRUTH, answer)

    assert bagged_members(answers, value, 8, 0) == choose_members(answers, value)


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
