"""Generated tables, and how the portfolio is measured on them."""

import json
from pathlib import Path

import msgspec
import numpy as np
import pandas as pd
import pytest

from benchmarks.generated import FEWEST, MOST, UNSEEN, generated
from benchmarks.portfolio import (
    configurations,
    kept_results,
    measured,
    name_of,
    next_table,
    regret,
    worth,
    write,
)
from training.automl.portfolio import RACERS, Portfolio
from training.automl.starting import whole_key
from training.automl.trials import TrialSpec

PROBLEMS = ("classification", "regression")


@pytest.mark.parametrize("problem", PROBLEMS)
def test_a_table_follows_from_its_number_alone(problem: str) -> None:
    table, again, other = generated(problem, 3), generated(problem, 3), generated(problem, 4)
    pd.testing.assert_frame_equal(table.train, again.train)
    pd.testing.assert_series_equal(table.truth, again.truth)
    assert table.name != other.name
    assert FEWEST <= len(table.train) <= MOST
    assert len(table.test) == len(table.truth) == UNSEEN
    assert table.target.nunique() >= 2


def test_tables_differ_in_what_makes_tables_hard() -> None:
    tables = [generated(problem, seed) for problem in PROBLEMS for seed in range(25)]
    missing = [bool(table.train.isna().to_numpy().any()) for table in tables]
    told = [bool((table.train.dtypes == "str").any()) for table in tables]
    skewed = [
        bool(np.mean(table.target) > 1.2 * np.median(table.target.astype(float))) for table in tables[25:]
    ]
    several = [table.target.nunique() > 2 for table in tables[:25]]
    for kind in (missing, told, skewed, several):
        assert 0.1 < np.mean(kind) < 0.9


@pytest.mark.parametrize("problem", PROBLEMS)
def test_configurations_name_each_algorithm_as_it_is_and_varied(problem: str) -> None:
    specs = configurations(problem, 0)
    assert specs == configurations(problem, 0)
    assert {spec.algorithm for spec in specs} <= set(RACERS)
    assert len({whole_key(spec) for spec in specs}) >= len(specs) - 2
    plain = {spec.algorithm for spec in specs if not spec.params and not spec.preprocessing}
    assert plain == {spec.algorithm for spec in specs}


def test_regret_is_0_for_the_best_and_1_from_the_median_on() -> None:
    assert regret([0.9, 0.8, 0.7, 0.1, None]) == [0, 0.667, 1, 1, 1]
    assert regret([0.5, 0.5, 0.5]) == [0, 0, 0]


SPECS = [TrialSpec("knn"), TrialSpec("random_forest", {"n_estimators": 5})]


def test_measurements_become_the_file_that_the_search_starts_from(tmp_path: Path) -> None:
    specs, lines = dict.fromkeys(PROBLEMS, SPECS), []
    for problem in PROBLEMS:
        for number in range(3):
            found = measured(generated(problem, number), problem, SPECS[: 1 if number == 2 else 2])
            assert all(isinstance(value, float) for value in found["scores"].values())
            lines.append(json.dumps({"problem": problem, "table": number, **found}))
    results, path = tmp_path / "results.jsonl", tmp_path / "portfolio.json"
    results.write_text("\n".join(lines))
    write(path, specs, kept_results(results), 0)
    read = msgspec.json.decode(path.read_bytes(), type=Portfolio)
    assert set(read.problems) == set(PROBLEMS)
    for one in read.problems.values():
        assert one.configurations == SPECS
        assert len(one.tables) == 2  # the third is not complete
        assert all(min(table.regret) == 0 for table in one.tables)
    assert read.made["by"].endswith("--seed 0")


def test_the_next_run_measures_what_is_new(tmp_path: Path) -> None:
    path, specs = tmp_path / "results.jsonl", dict.fromkeys(PROBLEMS, SPECS)
    assert next_table(specs, kept_results(path), 2) == ("classification", 2000, SPECS)
    line = {"problem": "classification", "table": 2000, "facts": {}, "scores": {name_of(SPECS[0]): 0.5}}
    path.write_text(json.dumps(line))
    assert next_table(specs, kept_results(path), 2) == ("classification", 2000, SPECS[1:])
    path.write_text(json.dumps({**line, "scores": {name_of(spec): 0.5 for spec in SPECS}}))
    assert next_table(specs, kept_results(path), 2) == ("regression", 2000, SPECS)


def test_likeness_is_judged_on_tables_that_took_no_part() -> None:
    near = dict.fromkeys(("rows", "inputs", "categories", "missing", "classes", "rarest", "skew"), 0.0)
    far = {**near, "rows": 9.0}
    tables = [{"facts": near, "regret": [0.0, 1.0]}] * 3 + [{"facts": far, "regret": [1.0, 0.0]}] * 3
    found = worth(tables)
    assert found["the most like tables"][0] == 0
    assert found["all tables alike"][0] > 0
