"""An automatic search without a database."""

import time
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
from training.automl.fitting import fit_pipeline
from training.automl.portfolio import PORTFOLIO, RACERS
from training.automl.race import Field, Race
from training.automl.starting import first_share, whole_key
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

    def note(self, text: str) -> None:
        """Keep it."""
        self.notes.append(text)


def race(began: float | None = None, threads: int = 1, **settings: Any) -> tuple[Race, Follower]:
    problem = get_problem("regression")
    columns = infer_schema(FRAME)
    target = problem.clean_target(NUMBER)
    field = Field(
        coerce_frame(FRAME, columns), target, columns, problem, folds(target, problem, 3), 0, threads=threads
    )
    follower = Follower()
    candidates = [Candidate(key, vary_inputs=tuple(SEARCHED)) for key in QUICK]
    chosen = AutoMLSettings(**{"seconds": 300, **settings})
    return Race(field, chosen, candidates, follower, began=began or time.monotonic()), follower


def test_the_search_goes_on_from_the_portfolio_to_what_is_near_the_best() -> None:
    run, follower = race(trials=8)
    best = run.run()
    assert best is not None
    assert "all 8 trials" in follower.notes[0]
    specs = [result.spec for _, result, _ in run.results]
    begun = [whole_key(spec) for spec in PORTFOLIO["regression"] if spec.algorithm in QUICK]
    assert [whole_key(spec) for spec in specs[: len(begun)]] == begun
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
    assert first_share(PORTFOLIO["regression"][:8], Size(10_000_000, 30), 1000) < 0.1


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


@pytest.mark.parametrize("problem", ["classification", "regression"])
def test_the_portfolio_names_what_there_is(problem: str) -> None:
    keys = {algorithm.key for algorithm in algorithms_for(problem)}
    for spec in PORTFOLIO[problem]:
        assert spec.algorithm in RACERS
        if spec.algorithm in keys:  # the extra "boost" may not be installed
            assert whole_key(spec)
