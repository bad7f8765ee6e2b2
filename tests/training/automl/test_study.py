import numpy as np
import pytest

from training.algorithms import get_algorithm, parse_params
from training.automl.study import (
    GRID_POINTS,
    RUNGS,
    SAMPLERS,
    Candidate,
    Past,
    Proposal,
    State,
    propose_defaults,
    propose_grid,
    propose_halving,
    propose_random,
    propose_tpe,
)

FOREST, LOGISTIC = Candidate("random_forest", {"n_estimators": 50}), Candidate("logistic_regression")


def done(proposal: Proposal, value: float | None) -> Past:
    state = State.failed if value is None else State.complete
    return Past(proposal.spec.algorithm, proposal.spec.params, state, value, proposal.share)


def score(proposal: Proposal) -> float:
    """A made-up landscape: forests are better, best at a leaf of 4 rows."""
    params = proposal.spec.params
    if proposal.spec.algorithm == "logistic_regression":
        return 0.5
    return 0.9 - 0.1 * abs(float(np.log(params["min_samples_leaf"] / 4)))


@pytest.mark.parametrize("name", SAMPLERS)
class TestSampler:
    def test_what_it_proposes_is_accepted_and_keeps_what_is_fixed(self, name: str) -> None:
        past: list[Past] = []
        for _ in range(15):
            proposal = SAMPLERS[name]([FOREST, LOGISTIC], past, 1)
            assert proposal is not None
            parse_params(get_algorithm(proposal.spec.algorithm), proposal.spec.params)
            if proposal.spec.algorithm == "random_forest":
                assert proposal.spec.params["n_estimators"] == 50
            past.append(done(proposal, score(proposal)))

    def test_the_same_past_gives_the_same_proposal(self, name: str) -> None:
        past = [done(propose_random([FOREST], [], seed), 0.1 * seed) for seed in range(12)]
        first, second = (SAMPLERS[name]([FOREST, LOGISTIC], past, 7) for _ in range(2))
        assert first == second

    def test_failed_trials_do_no_harm(self, name: str) -> None:
        past = [done(propose_random([FOREST], [], seed), None) for seed in range(12)]
        assert SAMPLERS[name]([FOREST], past, 0) is not None


def test_the_defaults_come_first_and_once() -> None:
    first = propose_defaults([FOREST, LOGISTIC], [], 0)
    assert first is not None
    assert (first.spec.algorithm, first.spec.params) == ("random_forest", {"n_estimators": 50})
    second = propose_defaults([FOREST, LOGISTIC], [done(first, 0.5)], 0)
    assert second is not None
    assert second.spec.algorithm == "logistic_regression"
    assert propose_defaults([FOREST, LOGISTIC], [done(first, 0.5), done(second, 0.5)], 0) is None


def test_a_grid_ends_when_all_its_points_were_tried() -> None:
    past: list[Past] = []
    while (proposal := propose_grid([LOGISTIC], past, 0)) is not None:
        past.append(done(proposal, 0.0))
    assert len(past) == GRID_POINTS * 2  # C times class_weight
    assert sorted({trial.params["C"] for trial in past}) == pytest.approx([1e-3, 1.0, 1e3])


def test_tpe_learns_where_the_good_trials_are() -> None:
    def mean_of_last(sampler: str) -> float:
        past: list[Past] = []
        for _ in range(40):
            proposal = SAMPLERS[sampler]([FOREST, LOGISTIC], past, 3)
            assert proposal is not None
            past.append(done(proposal, score(proposal)))
        return float(np.mean([trial.value for trial in past[-15:] if trial.value is not None]))

    assert mean_of_last("tpe") > mean_of_last("random") + 0.05


def test_two_workers_that_ask_at_once_are_sent_apart() -> None:
    past = [done(p, score(p)) for seed in range(20) for p in [propose_random([FOREST], [], seed)]]
    first = propose_tpe([FOREST], past, 0)
    running = Past(first.spec.algorithm, first.spec.params, State.running)
    assert propose_tpe([FOREST], [*past, running], 0).spec != first.spec


class TestHalving:
    def test_it_begins_on_few_rows(self) -> None:
        first = propose_halving([FOREST], [], 0)
        assert first is not None
        assert first.share == RUNGS[0]

    def test_the_best_third_goes_on_and_no_trial_twice(self) -> None:
        past = [
            Past("random_forest", {"max_depth": d}, State.complete, d / 10, RUNGS[0]) for d in range(1, 10)
        ]
        for depth in (9, 8, 7):
            proposal = propose_halving([FOREST], past, 0)
            assert proposal is not None
            assert (proposal.spec.params, proposal.share) == ({"max_depth": depth}, RUNGS[1])
            past.append(done(proposal, depth / 10))
        last = propose_halving([FOREST], past, 0)
        assert last is not None
        assert (last.spec.params, last.share) == ({"max_depth": 9}, RUNGS[2])
        past.append(done(last, 0.9))
        again = propose_halving([FOREST], past, 0)
        assert again is not None
        assert again.share == RUNGS[0]

    def test_it_waits_for_the_trials_that_decide_who_goes_on(self) -> None:
        past = [Past("random_forest", {"max_depth": d}, State.complete, 0.5, RUNGS[0]) for d in range(1, 9)]
        running = Past("random_forest", {"max_depth": 9}, State.running, None, RUNGS[0])
        assert propose_halving([FOREST], [*past, running], 0) is None

    def test_new_trials_take_the_places_of_those_that_could_not_be_fitted(self) -> None:
        past = [Past("random_forest", {"max_depth": d}, State.failed, None, RUNGS[0]) for d in range(1, 10)]
        proposal = propose_halving([FOREST], past, 0)
        assert proposal is not None
        assert proposal.share == RUNGS[0]

    def test_in_the_end_some_trials_see_all_rows_but_few(self) -> None:
        past: list[Past] = []
        for _ in range(90):
            proposal = propose_halving([FOREST, LOGISTIC], past, 0)
            assert proposal is not None
            past.append(done(proposal, score(proposal)))
        counts = [sum(trial.share == share for trial in past) for share in RUNGS]
        assert counts[0] > 2 * counts[1] > 2 * counts[2] > 4
        best = max((trial for trial in past if trial.share == 1), key=lambda trial: trial.value or 0)
        assert best.algorithm == "random_forest"
