"""How much each model counts where answers are stacked."""

import numpy as np
import pytest
from scipy.special import softmax

from training.automl.stacking import SMALLEST, pool_weights, pooled, sum_weights

RNG = np.random.default_rng(1)
CODES = RNG.integers(0, 3, 400)


def unsure(strength: float, seed: int) -> np.ndarray:
    """Probabilities that point to the truth, about as well as they say times ``strength``."""
    rng = np.random.default_rng(seed)
    logits = rng.normal(size=(400, 3)) + 2.0 * np.eye(3)[CODES]
    return np.asarray(softmax(strength * logits, axis=1))


def loss(answer: np.ndarray) -> float:
    return float(-np.log(answer[np.arange(len(CODES)), CODES]).mean())


def test_a_pool_of_one_with_weight_one_is_its_answer() -> None:
    answer = unsure(1.0, 2)
    assert pooled([1.0], [answer]) == pytest.approx(np.clip(answer, SMALLEST, 1), abs=1e-3)
    assert pooled([0.4, 0.6], [answer, answer]).sum(axis=1) == pytest.approx(1)


def test_answers_that_are_too_unsure_together_become_surer() -> None:
    answers = [unsure(0.5, 2), unsure(0.5, 3)]
    weights = pool_weights(answers, CODES, [0.5, 0.5])
    assert weights.sum() > 1.5
    assert loss(pooled(list(weights), answers)) < loss(pooled([0.5, 0.5], answers)) - 0.05


def test_answers_that_are_too_sure_become_less_so() -> None:
    answers = [unsure(4.0, 2)]
    weights = pool_weights(answers, CODES, [1.0])
    assert 0 < weights[0] < 0.6
    assert loss(pooled(list(weights), answers)) < loss(answers[0])


def test_a_worthless_answer_loses_its_weight() -> None:
    worthless = np.asarray(softmax(RNG.normal(size=(400, 3)) * 2, axis=1))
    good, bad = pool_weights([unsure(1.0, 2), worthless], CODES, [0.5, 0.5])
    assert bad < 0.05
    assert good > 0.6


def test_the_slope_leads_to_the_lowest_loss() -> None:
    answers, given = [unsure(0.5, 2), unsure(2.0, 3)], [0.5, 0.5]
    best = pool_weights(answers, CODES, given)

    def whole(weights: np.ndarray) -> float:
        pull = 5.0 * float(((weights - 0.5) ** 2).sum())
        return len(CODES) * loss(pooled(list(weights), answers)) + pull

    around = [whole(best + step) for step in 0.02 * RNG.normal(size=(20, 2))]
    assert whole(best) <= min(around) + 1e-6


def test_few_rows_hardly_move_the_given_weights() -> None:
    answers = [unsure(0.5, 2)[:4], unsure(0.5, 3)[:4]]
    few = pool_weights(answers, CODES[:4], [0.5, 0.5])
    assert few == pytest.approx([0.5, 0.5], abs=0.3)


def test_a_certain_zero_has_not_the_last_word() -> None:
    sure = np.tile([1.0, 0.0, 0.0], (3, 1))
    other = np.tile([0.0, 1.0, 0.0], (3, 1))
    assert np.isfinite(pooled([0.5, 0.5], [sure, other])).all()
    assert pooled([0.5, 0.5], [sure, other])[0, :2] == pytest.approx([0.5, 0.5], abs=0.01)


def test_the_weights_of_a_sum_are_least_squares_where_rows_abound() -> None:
    a, b = RNG.normal(size=5000), RNG.normal(size=5000)
    weights = sum_weights([a, b], 1.5 * a + 0.25 * b, [0.5, 0.5])
    assert weights == pytest.approx([1.5, 0.25], abs=0.02)
    assert sum_weights([a, b], a - b, [0.5, 0.5])[1] == 0.0  # never against a member


def test_the_weights_of_a_sum_stay_near_the_given_ones_on_few_rows() -> None:
    a, b = np.array([1.0, -1.0]), np.array([-1.0, 1.0])
    assert sum_weights([a, b], 3 * a, [0.5, 0.5]) == pytest.approx([0.5, 0.5], abs=0.8)
