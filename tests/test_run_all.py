"""The closing words of the complete check."""

import sys
from pathlib import Path

from tests.run_all import Outcome, Step, own_database, run, summary
from tests.run_all import test_runs as runs

GOOD, BAD = Outcome("lint: ok", good=True), Outcome("types: FAILED (code 1)", good=False)


def test_all_good_with_nothing_left_out() -> None:
    words, good = summary([GOOD], [], demand_all=True)
    assert good
    assert "Nothing was left out." in words


def test_one_failed_step_makes_the_whole_fail_and_is_named() -> None:
    words, good = summary([GOOD, BAD], [], demand_all=False)
    assert not good
    assert "types: FAILED" in words


def test_leaving_something_out_fails_only_where_everything_is_demanded() -> None:
    assert summary([GOOD], ["3 x no Redis"], demand_all=False)[1]
    assert not summary([GOOD], ["3 x no Redis"], demand_all=True)[1]


def test_postgres_is_run_only_where_it_is_in_reach() -> None:
    assert [step.name for step in runs(postgres=False)] == ["tests on SQLite"]
    assert [step.name for step in runs(postgres=True)] == ["tests on SQLite", "tests on PostgreSQL"]


def test_the_test_database_has_a_name_of_its_own() -> None:
    url = own_database("postgresql://me:secret@db:5432/postgres")
    assert url.startswith("postgresql://me:secret@db:5432/mlplatform_")


def test_a_test_run_that_counts_nothing_is_a_failure(tmp_path: Path) -> None:
    step = Step("empty", (sys.executable, "-c", "pass"), tests=True)
    assert not run(step, tmp_path).good
