"""The closing words of the complete check."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.run_all import COVERAGE, Outcome, Step, own_database, run, run_each, summary
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
    assert [step.name for step in runs(postgres=False, coverage=False)] == ["tests on SQLite"]
    both = [step.name for step in runs(postgres=True, coverage=False)]
    assert both == ["tests on SQLite", "tests on PostgreSQL"]


def test_coverage_is_measured_once_and_only_where_it_is_asked_for() -> None:
    assert not any("--cov" in step.command for step in runs(postgres=True, coverage=False))
    on_sqlite, on_postgres = runs(postgres=True, coverage=True)
    assert "--cov" in on_sqlite.command
    assert "--cov" not in on_postgres.command


def test_a_run_below_the_floor_of_coverage_fails(tmp_path: Path) -> None:
    """The floor stands in the configuration alone; pytest-cov must heed it."""
    (tmp_path / "half.py").write_text(
        "def reached():\n    return 1\n\n\ndef never():\n    a = 1\n    return a\n"
    )
    (tmp_path / "test_half.py").write_text("import half\n\n\ndef test_it():\n    assert half.reached()\n")
    project = "[tool.coverage.run]\nsource = ['half']\n[tool.coverage.report]\nfail_under = {floor}\n"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "pytest_cov", *COVERAGE]
    env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    codes = []
    for floor in (50, 90):
        (tmp_path / "pyproject.toml").write_text(project.format(floor=floor))
        codes.append(subprocess.run(command, cwd=tmp_path, env=env, capture_output=True).returncode)
    assert codes == [0, 1]


def test_what_is_compiled_is_kept_whatever_the_environment_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    command = (sys.executable, "-c", "import sys; sys.exit(sys.dont_write_bytecode)")
    assert run(Step("compiled", command), tmp_path).good


def test_the_test_database_has_a_name_of_its_own() -> None:
    url = own_database("postgresql://me:secret@db:5432/postgres")
    assert url.startswith("postgresql://me:secret@db:5432/mlplatform_")


def test_a_test_run_that_counts_nothing_is_a_failure(tmp_path: Path) -> None:
    step = Step("empty", (sys.executable, "-c", "pass"), tests=True)
    assert not run(step, tmp_path).good


def test_what_runs_aside_holds_nothing_up_and_counts_all_the_same(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """It ends only once a later step has begun; its words stand together, and its failure is told."""
    mark = tmp_path / "begun"
    waits = f"import pathlib, sys, time\nwhile not pathlib.Path({str(mark)!r}).exists(): time.sleep(0.01)\n"
    steps = [
        Step("types", (sys.executable, "-c", f"{waits}print('wrong'); sys.exit(1)"), aside=True),
        Step("tests", (sys.executable, "-c", f"open({str(mark)!r}, 'w')")),
    ]
    outcomes = run_each(steps, tmp_path)
    assert [outcome.good for outcome in outcomes] == [False, True]
    assert outcomes[0].line.startswith("types: FAILED (code 1)")
    assert "=== types" in (said := capfd.readouterr().out)
    assert said.index("=== types") < said.index("wrong")
