"""An automatic search without a database."""

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np
import pandas as pd
import pytest

from registry.problems import get_problem
from registry.tabular.schema import coerce_frame, infer_schema
from training.algorithms import algorithms_for
from training.automl.budget import AutoMLSettings
from training.automl.costs import COSTS, Size, expected_seconds, learnt_seconds
from training.automl.ensemble import blended
from training.automl.fitting import fit_pipeline
from training.automl.race import Field, Race
from training.automl.stacking import pooled
from training.automl.starting import first_share, varied, whole_key
from training.automl.study import Candidate
from training.automl.trials import TrialResult, TrialSpec, ensemble_of
from training.evaluation import folds
from training.preprocessing.options import SEARCHED

RNG = np.random.default_rng(0)
ROWS = 120
FRAME = pd.DataFrame(
    {
        "a": RNG.normal(size=ROWS),
        "b": RNG.normal(size=ROWS),
        "c": pd.Series(RNG.choice(["x", "y", "z"], ROWS), dtype="str"),
    }
)
NUMBER = FRAME["a"] * 3 + FRAME["b"] ** 2 + (FRAME["c"] == "x") * 2 + RNG.normal(scale=0.3, size=ROWS)
QUICK = ("ridge", "knn", "svm")


class Follower:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.begun_shares: list[float] = []

    def check(self) -> None:
        """Never stop."""

    def begun(self, spec: TrialSpec, share: float) -> int:
        """Number the trials."""
        self.begun_shares.append(share)
        return len(self.begun_shares)

    def fold(self, trial: Any, index: int, scores: dict[str, float], done: float) -> None:
        """Nothing."""

    def ended(self, trial: Any, result: TrialResult) -> None:
        """Nothing."""

    def revised(self, trial: Any, result: TrialResult) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


class Clock:
    """Seconds that pass when the race looks whether it is to stop: once before each trial."""

    def __init__(self, step: float) -> None:
        self.step, self.now = step, 0.0

    def __call__(self) -> float:
        """What it shows."""
        return self.now


class Ticking(Follower):
    """Lets the clock go on by a step for each trial."""

    def __init__(self, clock: Clock) -> None:
        super().__init__()
        self.clock = clock

    def check(self) -> None:
        """A trial takes as long as it takes."""
        self.clock.now += self.clock.step


def race(
    began: float | None = None,
    threads: int = 1,
    clock: Callable[[], float] = time.monotonic,
    **settings: Any,
) -> tuple[Race, Follower]:
    problem = get_problem("regression")
    columns = infer_schema(FRAME)
    target = problem.clean_target(NUMBER)
    field = Field(
        coerce_frame(FRAME, columns), target, columns, problem, folds(target, problem, 3), 0, threads=threads
    )
    follower = Follower()
    candidates = [Candidate(key, vary_inputs=tuple(SEARCHED)) for key in QUICK]
    chosen = AutoMLSettings(**{"seconds": 300, **settings})
    return Race(field, chosen, candidates, follower, began=began or clock(), clock=clock), follower


def test_the_search_goes_on_from_the_portfolio_to_what_is_near_the_best() -> None:
    run, follower = race(trials=8)
    best = run.run()
    assert best is not None
    assert "all 8 trials" in follower.notes[0]
    specs = [result.spec for _, result, _ in run.results]
    begun = [whole_key(spec) for spec in run.portfolio][:8]
    assert {spec.algorithm for spec in run.portfolio} == set(QUICK)
    assert [whole_key(spec) for spec in specs[: len(begun)]] == list(dict.fromkeys(begun))
    assert len({whole_key(spec) for spec in specs[:8]}) == 8  # nothing is tried twice
    ranked = [run.worth(result) for _, result in run.ranked()]
    assert ranked == sorted(ranked, reverse=True)
    assert run.worth(best) == ranked[0]


def test_the_same_seed_races_the_same_on_any_number_of_threads() -> None:
    (one, _), (other, _) = race(trials=4), race(trials=4, threads=2)
    one.run()
    other.run()
    assert [(result.spec, result.mean) for _, result, _ in one.results] == [
        (result.spec, result.mean) for _, result, _ in other.results
    ]


def test_an_ensemble_is_fitted_anew_from_its_spec() -> None:
    run, _ = race()
    field = run.field
    together = ensemble_of({0: 0.25, 1: 0.75}, [TrialSpec("ridge"), TrialSpec("knn")])
    assert [spec.algorithm for spec, _ in together.members] == ["knn", "ridge"]
    args = (field.features, field.target, field.columns, field.problem, 0)
    once, twice = (
        fit_pipeline(together, *args, threads=threads).predict(field.features) for threads in (1, 2)
    )
    assert (once == twice).all()
    alone = [fit_pipeline(TrialSpec(key), *args).predict(field.features) for key in ("ridge", "knn")]
    assert once == pytest.approx(0.25 * alone[0] + 0.75 * alone[1])


def test_a_race_that_has_no_time_left_still_ends_with_one_model() -> None:
    run, follower = race(began=time.monotonic() - 1000)
    best = run.run()
    assert best is not None
    assert len(run.results) == 1
    assert "is over" in follower.notes[0]


def test_large_tables_are_searched_in_part_and_the_best_tried_on_all_rows() -> None:
    run, follower = race(trials=40)
    run.share = 0.5  # as the expected time of a large table would have it
    run.settings = msgspec.structs.replace(run.settings, trials=None, seconds=10, patience=8)
    best = run.run()
    assert best is not None
    assert {0.5, 1.0} == set(follower.begun_shares)
    assert all(share == 1.0 for _, result, share in run.results if result in [one for _, one in run.ranked()])


def test_a_table_too_large_for_the_time_is_raced_in_part() -> None:
    run, _ = race()
    assert run.share == 1.0
    assert first_share(run.portfolio[:8], Size(10_000_000, 30), 1000) < 0.1


def test_every_algorithm_has_a_cost_that_grows_with_the_rows() -> None:
    for problem in ("classification", "regression"):
        for algorithm in algorithms_for(problem):
            assert algorithm.key in COSTS
            spec = TrialSpec(algorithm.key)
            assert expected_seconds(spec, Size(100_000, 20)) >= expected_seconds(spec, Size(1000, 20))
    measured = [
        (TrialSpec("ridge"), Size(1000, 10), 10 * expected_seconds(TrialSpec("ridge"), Size(1000, 10)))
    ]
    slow = learnt_seconds(TrialSpec("ridge"), Size(5000, 10), measured)
    assert slow == pytest.approx(10 * expected_seconds(TrialSpec("ridge"), Size(5000, 10)))


def test_a_trial_that_takes_far_longer_than_expected_is_given_up() -> None:
    given, _ = race()
    clock = Clock(0.0)

    class Stalling(Follower):
        """Lets each fold from the second trial on take a fifth of the time and more."""

        def fold(self, trial: Any, index: int, scores: dict[str, float], done: float) -> None:
            super().fold(trial, index, scores, done)
            clock.now += 25.0 if run.results else 1.0

    settings = AutoMLSettings(seconds=100, trials=3, ensemble=False)
    run = Race(given.field, settings, given.candidates, Stalling(), began=0.0, clock=clock)
    assert run.run() is not None
    trials = [result for _, result, _ in run.results]
    assert [one.given_up for one in trials] == [False, True, True]
    assert [len(one.fold_scores) for one in trials] == [3, 1, 1]


def test_a_network_of_more_neurons_is_expected_to_take_far_longer() -> None:
    small, large = (TrialSpec("mlp", {"units": units, "layers": 2}) for units in (64, 221))
    size = Size(2742, 11)
    assert expected_seconds(large, size) > 4 * expected_seconds(small, size)


@pytest.mark.parametrize(("seconds", "step", "most"), [(60, 9.0, 7), (20, 9.0, 3), (10, 30.0, 1)])
def test_no_trial_begins_after_the_time_by_the_clock(seconds: int, step: float, most: int) -> None:
    given, _ = race()
    clock = Clock(step)
    follower = Ticking(clock)
    run = Race(
        given.field, AutoMLSettings(seconds=seconds), given.candidates, follower, began=0.0, clock=clock
    )
    assert run.run() is not None
    trials = [one for _, one, _ in run.results if one.algorithm != "ensemble"]
    assert 1 <= len(trials) <= most
    assert clock.now <= seconds + 2 * step  # the trial under way, and the look before the ensemble
    assert "is over" in follower.notes[-1]


def test_the_time_for_the_last_fit_is_kept_from_the_search() -> None:
    given, _ = race()
    clock = Clock(2.5)
    args = (given.field, AutoMLSettings(seconds=60), given.candidates)
    free = Race(*args, Ticking(clock), began=0.0, clock=clock)
    free.run()
    taken, clock.now = len(free.results), 0.0
    busy = Race(*args, Ticking(clock), began=0.0, clock=clock, last=20.0)
    busy.run()
    assert len(busy.results) <= taken - 6


def test_search_ensemble_and_last_fit_end_within_the_stated_seconds() -> None:
    clock = time.process_time  # stands still while others have the processor
    began = clock()
    run, _ = race(began=began, seconds=5, clock=clock)
    best = run.run()
    assert best is not None
    field = run.field
    fit_pipeline(best.spec, field.features, field.target, field.columns, field.problem, 0)
    assert clock() - began < 7


def test_a_search_that_finds_nothing_better_ends_early() -> None:
    run, follower = race(patience=5)
    run.run()
    assert "5 trials in a row were no better" in follower.notes[-1]
    assert run.used < 300


def test_options_that_can_change_nothing_are_not_varied() -> None:
    run, _ = race()
    (ridge, *_) = run.candidates
    assert not {"impute", "indicators", "balance"} & set(ridge.vary_inputs)  # nothing is missing, no classes
    assert {"scale", "encode", "select"} <= set(ridge.vary_inputs)
    with_gaps = msgspec.structs.replace(ridge, vary_inputs=tuple(SEARCHED))
    gaps = dataclasses.replace(run.field, features=run.field.features.assign(a=np.nan))
    assert {"impute", "indicators"} <= set(varied(with_gaps, gaps, "r2").vary_inputs)
    skewed = dataclasses.replace(run.field, target=np.exp(run.field.target / 2))
    assert "reshape_target" in varied(with_gaps, skewed, "r2").vary_inputs


@pytest.mark.parametrize(
    ("algorithm", "metric", "rare", "wanted"),
    [
        ("logistic_regression", "roc_auc", 0.5, False),
        ("logistic_regression", "f1", 0.5, True),
        ("logistic_regression", "roc_auc", 0.1, True),
        ("knn", "f1", 0.1, False),  # its rows cannot be weighed
    ],
)
def test_balance_is_searched_where_rare_classes_may_matter(
    algorithm: str, metric: str, rare: float, wanted: bool
) -> None:
    run, _ = race()
    labels = pd.Series(np.where(np.arange(ROWS) < rare * ROWS, "rare", "often"), dtype=object)
    field = dataclasses.replace(run.field, target=labels, problem=get_problem("classification"))
    candidate = Candidate(algorithm, vary_inputs=tuple(SEARCHED))
    assert ("balance" in varied(candidate, field, metric).vary_inputs) is wanted


def test_the_single_models_lack_what_their_choice_flatters_once_there_are_ensembles() -> None:
    run, _ = race(trials=8)
    best = run.run()
    assert best is not None
    together = [one for _, one in run.ranked() if one.algorithm == "ensemble"]
    alone = next(one for _, one in run.ranked() if one.algorithm != "ensemble")
    assert {one.params["how"] for one in together} == {"vote", "stack"}
    assert run.flattered >= 0
    assert run.worth(alone) == pytest.approx((alone.mean or 0) - run.flattered)


@pytest.mark.parametrize("how", ["vote", "stack"])
def test_both_ensembles_are_fitted_anew_as_their_out_of_fold_answers_were_joined(how: str) -> None:
    run, _ = race()
    field = run.field
    labels = pd.Series(np.where(field.target > field.target.median(), "yes", "no"), dtype=object)
    together = ensemble_of({0: 0.5, 1: 0.9}, [TrialSpec("logistic_regression"), TrialSpec("knn")], how)
    args = (field.features, labels, field.columns, get_problem("classification"), 0)
    parts = [
        fit_pipeline(TrialSpec(key), *args).predict_proba(field.features)
        for key in ("knn", "logistic_regression")
    ]
    join = pooled if how == "stack" else blended
    found = fit_pipeline(together, *args).predict_proba(field.features)
    assert found == pytest.approx(join([0.9, 0.5], parts))


def test_what_would_take_most_of_the_time_is_not_even_tried_first() -> None:
    run, _ = race(trials=2)
    run.portfolio.sort(key=lambda spec: spec.algorithm != "svm")
    run.measured.append((TrialSpec("svm"), run.field.size(), 1000.0))  # support vectors are slow here
    run.measured.append((TrialSpec("ridge"), run.field.size(), 0.01))
    run.measured.append((TrialSpec("knn"), run.field.size(), 0.01))
    assert run.run() is not None
    assert "svm" not in {result.algorithm for _, result, _ in run.results}


def test_where_nothing_seems_to_fit_the_quickest_is_tried() -> None:
    run, _ = race(trials=1)
    for key in QUICK:
        run.measured.append((TrialSpec(key), run.field.size(), 500.0 if key == "knn" else 1000.0))
    best = run.run()
    assert best is not None
    assert best.algorithm == "knn"


def test_the_vote_comes_behind_the_stack_unless_its_lead_is_proven() -> None:
    run, _ = race(trials=8)
    assert run.run() is not None
    together = {one.params["how"]: one for _, one in run.ranked() if one.algorithm == "ensemble"}
    vote, stack = together["vote"], together["stack"]
    run.unproven = 0.0
    assert run.worth(vote) == vote.mean
    run.unproven = abs((vote.mean or 0) - (stack.mean or 0)) + 1e-9
    assert run.worth(vote) < run.worth(stack)
