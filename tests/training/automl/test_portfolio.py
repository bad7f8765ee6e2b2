"""Where a search begins."""

import numpy as np
import pandas as pd
import pytest

from registry.tabular.schema import coerce_frame, infer_schema
from training.algorithms import algorithms_for
from training.automl.likeness import FLOOR, SCALES, facts_of, likeness
from training.automl.portfolio import LENGTH, RACERS, greedy, portfolio, starting_points
from training.automl.starting import whole_key

PROBLEMS = ("classification", "regression")
RNG = np.random.default_rng(0)


def facts(rows: int, problem: str = "classification") -> dict[str, float]:
    frame = pd.DataFrame(
        {"a": RNG.normal(size=rows), "b": pd.Series(RNG.choice(["x", "y"], rows), dtype="str")}
    )
    target = pd.Series(RNG.choice(["no", "yes"], rows), dtype=object)
    if problem == "regression":
        target = pd.Series(np.exp(RNG.normal(size=rows)))
    columns = infer_schema(frame)
    return facts_of(coerce_frame(frame, columns), target, columns, problem)


def test_the_first_is_the_best_alone_and_the_next_what_it_lacks() -> None:
    regret = np.array([[0.1, 0.0, 0.9, 0.2], [0.1, 1.0, 0.9, 0.2], [0.4, 1.0, 0.0, 0.5]])
    assert greedy(regret, np.ones(3), 4) == [0, 2, 1, 3]
    assert greedy(regret, [0.0, 0.0, 1.0], 2)[0] == 2
    assert greedy(regret, np.ones(3), 2) == [0, 2]


def test_tables_are_as_like_as_their_facts() -> None:
    small, other, large = facts(100), facts(120), facts(5000)
    near, far = likeness(small, [other, large])
    assert near > 0.8
    assert FLOOR <= far < 0.2
    assert likeness(small, [small])[0] == pytest.approx(1 + FLOOR)


def test_the_facts_tell_what_a_table_is_made_of() -> None:
    found = facts(1000, "regression")
    assert set(found) == set(SCALES)
    assert found["rows"] == pytest.approx(3)
    assert found["categories"] == 0.5
    assert found["skew"] > 1
    assert facts(1000)["skew"] == 0
    assert facts(1000)["classes"] == 1
    assert facts(1000)["rarest"] == pytest.approx(0.5, abs=0.1)


@pytest.mark.parametrize("problem", PROBLEMS)
def test_every_measured_configuration_can_be_tried_here(problem: str) -> None:
    keys = {algorithm.key for algorithm in algorithms_for(problem)}
    measured = portfolio().problems[problem]
    for spec in measured.configurations:
        assert spec.algorithm in RACERS
        if spec.algorithm in keys:  # the extra "boost" may not be installed
            assert whole_key(spec)
    assert len(measured.tables) >= 5
    for table in measured.tables:
        assert set(table.facts) == set(SCALES)
        assert len(table.regret) == len(measured.configurations)
        assert min(table.regret) == 0
        assert max(table.regret) <= 1


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_table_starts_from_what_won_on_the_tables_most_like_it(problem: str) -> None:
    measured = portfolio().problems[problem]
    table = measured.tables[0]
    first = starting_points(problem, table.facts, RACERS)
    assert len(first) == min(LENGTH, len(measured.configurations))
    assert len({whole_key(spec) for spec in first}) == len(first)
    places = [measured.configurations.index(spec) for spec in first]
    by_number = np.arange(len(places))
    assert min(np.array(table.regret)[places[:8]]) <= min(np.array(table.regret)[by_number[:8]]) + 0.2


def test_only_what_may_be_tried_is_proposed() -> None:
    assert {spec.algorithm for spec in starting_points("regression", facts(99, "regression"), ["ridge"])} == {
        "ridge"
    }
    assert starting_points("regression", facts(99, "regression"), []) == []
    assert starting_points("clustering", facts(99), RACERS) == []


def test_the_file_tells_how_it_was_made_and_what_it_is_worth() -> None:
    made = portfolio().made
    assert made["by"].startswith("python benchmarks/portfolio.py")
    for problem in PROBLEMS:
        worth = made["regret"][problem]
        assert worth["the most like tables"][1] < worth["by lot"][1]
