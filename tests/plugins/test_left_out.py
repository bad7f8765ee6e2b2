"""The plugin that says what was left out, on small test runs of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = """
import pytest

def test_plain(): pass

@pytest.mark.needs_postgres
def test_postgres(): pass

@pytest.mark.needs_redis
def test_redis(): pass
"""
KNOWN = """
import pytest

@pytest.mark.xfail(reason="known")
def test_known(): assert False
"""
FIT = """
import pytest

@pytest.fixture
def db(): pass

@pytest.mark.any_database
def test_fit(db): pass

def test_rows(db): pass
"""
NOTHING_LISTENS = "redis://127.0.0.1:1/0"
PYTEST = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider")
MARKERS = "[pytest]\nmarkers =\n    needs_postgres: x\n    needs_redis: x\n    any_database: x\n"


def run(folder: Path, *options: str, **env: str) -> tuple[int, str, dict[str, object]]:
    (folder / "test_sample.py").write_text(SAMPLE)
    (folder / "pytest.ini").write_text(MARKERS)
    outcome = folder / "outcome.json"
    given = {"PYTHONPATH": str(ROOT), "ML_TEST_OUTCOME": str(outcome), "ML_TEST_REQUIRE_ALL": "0"}
    # The other plugins take seconds to import, and none of them matters here.
    given |= {"ML_TEST_POSTGRES_FOLLOWS": "0", "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    base = {name: value for name, value in os.environ.items() if name != "DATABASE_URL"}
    command = [*PYTEST, "-p", "tests.plugins.left_out", *options]
    done = subprocess.run(command, cwd=folder, env=base | given | env, capture_output=True, text=True)
    return done.returncode, done.stdout, json.loads(outcome.read_text())


def test_what_cannot_run_is_named_with_its_reason_and_cure(tmp_path: Path) -> None:
    code, words, counts = run(tmp_path, ML_TEST_REDIS_URL=NOTHING_LISTENS)
    assert code == 0
    assert "Left out: 1 x Redis does not answer at redis://127.0.0.1:1/0" in words
    assert "Left out: 1 x needs PostgreSQL; run `make test`" in words
    assert counts["passed"] == 1


def test_leaving_anything_out_fails_where_everything_is_demanded(tmp_path: Path) -> None:
    code, _, _ = run(tmp_path, ML_TEST_REDIS_URL=NOTHING_LISTENS, ML_TEST_REQUIRE_ALL="1")
    assert code == pytest.ExitCode.TESTS_FAILED


def test_parallel_workers_report_the_same(tmp_path: Path) -> None:
    _, words, counts = run(tmp_path, "-p", "xdist", "-n", "2", ML_TEST_REDIS_URL=NOTHING_LISTENS)
    assert "Left out: 1 x Redis does not answer" in words
    assert counts["passed"] == 1


def test_what_a_later_run_on_postgres_does_is_not_left_out(tmp_path: Path) -> None:
    _, words, _ = run(tmp_path, "-k", "not redis", ML_TEST_POSTGRES_FOLLOWS="1")
    assert "Nothing was left out." in words


def test_only_database_tests_can_be_chosen(tmp_path: Path) -> None:
    _, _, counts = run(tmp_path, "--only-database", DATABASE_URL="postgres://localhost/x")
    assert counts["passed"] == 1


def test_a_fit_that_no_database_changes_is_tried_with_the_first_one_only(tmp_path: Path) -> None:
    (tmp_path / "test_fit.py").write_text(FIT)
    first, second = [run(tmp_path, "test_fit.py", *options)[2] for options in ((), ("--only-database",))]
    assert (first["passed"], second["passed"]) == (2, 1)
    assert second["left_out"] == {}


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    _, words, _ = run(tmp_path, ML_TEST_REDIS_URL="redis://:hidden@127.0.0.1:1/0")
    assert "hidden" not in words


def test_what_fails_as_it_is_known_to_was_not_left_out(tmp_path: Path) -> None:
    (tmp_path / "test_known.py").write_text(KNOWN)
    _, words, counts = run(tmp_path, "test_known.py")
    assert "Nothing was left out." in words
    assert counts["passed"] == 1
