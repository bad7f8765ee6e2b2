"""Which trial won, and how far the winner's number flatters."""

import numpy as np
import pytest

from registry.problems import get_problem
from training.automl.leaderboard import flattery, rank, unproven_lead
from training.automl.trials import TrialResult


def test_the_best_of_many_equals_looks_better_than_it_is() -> None:
    rng = np.random.default_rng(0)
    equals = rng.normal(size=(50, 5)).tolist()
    best = max(np.mean(one) for one in equals)
    assert best > 0.7
    assert best - flattery(equals) == pytest.approx(0, abs=0.6)


def test_a_clear_winner_is_not_flattered() -> None:
    assert flattery([[0.9, 0.9, 0.9], [0.5, 0.6, 0.5], [0.1, 0.2, 0.1]]) == pytest.approx(0)


@pytest.mark.parametrize("values", [[], [[0.5, 0.6]], [[0.5], [0.6]], [[], []]])
def test_there_is_nothing_to_choose_among_fewer_than_two(values: list[list[float]]) -> None:
    assert flattery(values) == 0.0


def test_trials_that_lack_folds_do_not_count() -> None:
    whole = [[0.5, 0.6, 0.7], [0.6, 0.5, 0.6]]
    assert flattery([*whole, [0.99]]) == flattery(whole)


def test_equals_are_ranked_by_steadiness_then_speed_and_failures_come_last() -> None:
    def trial(name: str, mean: float | None, std: float | None, seconds: float) -> TrialResult:
        return TrialResult(name, {}, [], mean, std, seconds)

    ranked = rank(
        [
            trial("failed", None, None, 0.1),
            trial("shaky", 0.8, 0.2, 1),
            trial("slow", 0.8, 0.1, 9),
            trial("quick", 0.8, 0.1, 1),
            trial("best", 0.9, 0.5, 9),
        ],
        get_problem("regression"),
    )
    assert [one.algorithm for one in ranked] == ["best", "quick", "slow", "shaky", "failed"]


def test_a_lead_that_may_be_chance_is_not_proven() -> None:
    assert unproven_lead([0.9, 0.5, 0.7], [0.6, 0.6, 0.6]) == pytest.approx(0.1)


@pytest.mark.parametrize("ahead", [[0.9, 0.91, 0.92], [0.5, 0.6, 0.4]])
def test_a_steady_lead_is_proven_and_who_is_behind_leads_by_nothing(ahead: list[float]) -> None:
    assert unproven_lead(ahead, [0.6, 0.6, 0.6]) == 0


def test_one_fold_proves_nothing() -> None:
    assert unproven_lead([0.9], [0.6]) == pytest.approx(0.3)
