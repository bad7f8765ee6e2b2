"""Says what a test run left out, why, and how to get it; and refuses that where everything is demanded.

Tests marked ``needs_postgres`` run when DATABASE_URL names PostgreSQL, those marked ``needs_redis`` when
ML_TEST_REDIS_URL answers, ``needs_mariadb`` when ML_TEST_MARIADB_URL does, ``needs_pgbouncer`` when it is
installed. Every skipped test counts as left out,
whatever skipped it. ``--only-database`` chooses what a second database is tried with: the tests that use
the database, but not those marked ``any_database``, which fit models whose figures no database changes.

ML_TEST_POSTGRES_FOLLOWS=1 says that a run on PostgreSQL comes next and will do the former.
ML_TEST_REQUIRE_ALL=1 turns anything left out into a failure. ML_TEST_OUTCOME names a file that receives
the counts and the reasons as JSON, for a program that sums up several runs.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest

from tests.plugins.services import mariadb_problem, pgbouncer_problem, redis_problem

DATABASE_FIXTURES = frozenset({"db", "transactional_db", "django_db_setup"})
NO_POSTGRES = "needs PostgreSQL; run `make test`, or set DATABASE_URL=postgresql://..."


class Tally:
    """What became of the tests, and the reasons for which some were left out."""

    def __init__(self) -> None:
        self.passed = 0
        self.failed = 0
        self.left_out: Counter[str] = Counter()

    def add(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        if report.failed:
            self.failed += 1
        elif hasattr(report, "wasxfail"):
            self.passed += report.when == "call"  # it ran, and failed as it is known to
        elif report.skipped:
            self.left_out[skip_reason(report)] += 1
        elif report.when == "call":
            self.passed += 1

    def lines(self) -> list[str]:
        """Return a sentence for each reason, or one that says nothing was left out."""
        if not self.left_out:
            return ["Nothing was left out."]
        return [f"Left out: {count} x {reason}" for reason, count in self.left_out.most_common()]

    def write(self, path: Path) -> None:
        """Write the counts and reasons as JSON."""
        path.write_text(json.dumps(vars(self)), encoding="utf-8")


def skip_reason(report: pytest.TestReport) -> str:
    """Return why a test was skipped, in the words of the mark or call that skipped it."""
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return reason.removeprefix("Skipped: ")


TALLY = pytest.StashKey[Tally]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the choice of tests that a second database is tried with."""
    parser.addoption("--only-database", action="store_true", help="Run only the tests that use the database.")


def pytest_configure(config: pytest.Config) -> None:
    """Begin the tally of this run."""
    config.stash[TALLY] = Tally()
    config.pluginmanager.register(Listener(config.stash[TALLY]), "left-out-listener")


class Listener:
    """Hears of every test, also of those that a parallel worker ran."""

    def __init__(self, tally: Tally) -> None:
        self.tally = tally

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count one phase of one test."""
        self.tally.add(report)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A module that cannot be collected has failed."""
        self.tally.failed += report.failed


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what cannot run here, and drop what this run is not about."""
    if config.getoption("--only-database"):
        keep_only(uses_database, config, items)
    if os.environ.get("ML_TEST_POSTGRES_FOLLOWS") == "1":
        keep_only(lambda item: not item.get_closest_marker("needs_postgres"), config, items)
    if any(item.get_closest_marker("needs_redis") for item in items) and (problem := redis_problem()):
        skip(items, "needs_redis", problem)
    if any(item.get_closest_marker("needs_mariadb") for item in items) and (problem := mariadb_problem()):
        skip(items, "needs_mariadb", problem)
    if problem := pgbouncer_problem():
        skip(items, "needs_pgbouncer", problem)
    if not os.environ.get("DATABASE_URL", "").startswith("postgres"):
        skip(items, "needs_postgres", NO_POSTGRES)


def keep_only(wanted: Callable[[pytest.Item], bool], config: pytest.Config, items: list[pytest.Item]) -> None:
    """Drop the tests that are not wanted in this run from ``items``."""
    dropped = [item for item in items if not wanted(item)]
    items[:] = [item for item in items if wanted(item)]
    config.hook.pytest_deselected(items=dropped)


def uses_database(item: pytest.Item) -> bool:
    """Whether a test reads or writes the database, and not only on its way to what it is about."""
    if item.get_closest_marker("any_database"):
        return False
    marked = item.get_closest_marker("django_db") or item.get_closest_marker("needs_postgres")
    return bool(marked) or not DATABASE_FIXTURES.isdisjoint(getattr(item, "fixturenames", ()))


def skip(items: Iterable[pytest.Item], marker: str, reason: str) -> None:
    """Skip the tests that carry the marker."""
    for item in items:
        if item.get_closest_marker(marker):
            item.add_marker(pytest.mark.skip(reason=reason))


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the tally, and fail the run where everything was demanded and something was left out."""
    tally = session.config.stash[TALLY]
    if hasattr(session.config, "workerinput"):
        return
    if outcome := os.environ.get("ML_TEST_OUTCOME"):
        tally.write(Path(outcome))
    demanded = os.environ.get("ML_TEST_REQUIRE_ALL") == "1"
    if demanded and tally.left_out and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say what was left out, also when that is nothing."""
    terminalreporter.section("left out")
    for line in config.stash[TALLY].lines():
        terminalreporter.write_line(line)
