"""Everything that is checked before a change counts as good: ``python -m tests.run_all``.

Each step runs even where an earlier one failed, so that one run tells everything. The closing summary
says what ran, what failed, and what was left out and why. Exit code 0 means all good.

ML_TEST_COVERAGE=1 has the tests on SQLite say which lines they never reach, and fail below the floor of
pyproject.toml; they take longer then.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import PIPE, STDOUT
from urllib.parse import urlsplit, urlunsplit

from tests.plugins.services import POSTGRES_URL, postgres_problem

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("mlplatform", "registry", "training", "feedback", "monitoring")
BIN = Path(sys.executable).parent
PYTEST = (sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal")
# With the floor of pyproject.toml: fewer lines reached than that fail the run.
COVERAGE = ("--cov", "--cov-report=term:skip-covered")
# Python keeps what it has compiled, whatever the caller's environment says: without it, each of the many
# processes that the tests start would compile a thousand modules anew, which is half of its start.
KEEP_COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}


@dataclass(frozen=True)
class Step:
    """One command, with what it adds to the environment; ``tests`` where it counts tests.

    What runs ``aside`` begins with the others, which do not wait for it, and shows its words when it is done.
    """

    name: str
    command: tuple[str, ...]
    env: Mapping[str, str] = field(default_factory=dict)
    tests: bool = False
    aside: bool = False


@dataclass(frozen=True)
class Outcome:
    """How a step went: its line in the summary, whether it was good, and what it left out."""

    line: str
    good: bool
    left_out: tuple[str, ...] = ()


def checks() -> list[Step]:
    """Return the steps that look at the code without running its tests."""
    manage = (sys.executable, "manage.py")
    return [
        Step("lint", (str(BIN / "ruff"), "check", ".")),
        Step("format", (str(BIN / "ruff"), "format", "--check", ".")),
        # Minutes on one processor where nothing is known yet; tests that wait for a process leave it one.
        Step("types", (str(BIN / "mypy"), *PACKAGES, "tests"), aside=True),
        Step("import contracts", (str(BIN / "lint-imports"),)),
        Step("migrations", (*manage, "makemigrations", "--check", "--dry-run")),
    ]


def test_runs(*, postgres: bool, coverage: bool) -> list[Step]:
    """Return the test runs: on SQLite, with coverage where asked, and on PostgreSQL where it is in reach."""
    follows = {"ML_TEST_POSTGRES_FOLLOWS": "1" if postgres else "0"}
    command = (*PYTEST, *COVERAGE) if coverage else PYTEST
    runs = [Step("tests on SQLite", command, {"DATABASE_URL": ""} | follows, tests=True)]
    if postgres:
        again = (*PYTEST, "--only-database", "-m", "not acceptance or needs_postgres")
        runs.append(
            Step("tests on PostgreSQL", again, {"DATABASE_URL": own_database(POSTGRES_URL)}, tests=True)
        )
    return runs


def own_database(url: str) -> str:
    """Return the URL with a database name of this checkout's own, so that two checkouts do not meet."""
    name = f"mlplatform_{hashlib.sha256(str(ROOT).encode()).hexdigest()[:8]}"
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def run(step: Step, scratch: Path) -> Outcome:
    """Run one step, its output going to the terminal, and return how it went."""
    heading = f"\n=== {step.name} " + "=" * max(0, 80 - len(step.name))
    report = scratch / f"{step.name}.json"
    given = {"ML_DATA_DIR": str(scratch / "data"), "ML_TEST_OUTCOME": str(report)}
    # An empty value means: not set, whatever the caller's environment says.
    env = {
        name: value for name, value in (os.environ | given | KEEP_COMPILED | dict(step.env)).items() if value
    }
    began = time.monotonic()
    if step.aside:
        done = subprocess.run(step.command, cwd=ROOT, env=env, text=True, stdout=PIPE, stderr=STDOUT)
        code = done.returncode
        print(heading, done.stdout, sep="\n", flush=True)
    else:
        print(heading, flush=True)
        code = subprocess.run(step.command, cwd=ROOT, env=env).returncode
    verdict = "ok" if code == 0 else f"FAILED (code {code})"
    line = f"{step.name}: {verdict}, {time.monotonic() - began:.0f} s"
    if not step.tests:
        return Outcome(line, code == 0)
    if not report.exists():
        return Outcome(f"{line}, no tests were counted", good=False)
    counts = json.loads(report.read_text(encoding="utf-8"))
    left_out = tuple(f"{count} x {reason}" for reason, count in counts["left_out"].items())
    return Outcome(f"{line}, {counts['passed']} passed, {counts['failed']} failed", code == 0, left_out)


def run_each(steps: list[Step], scratch: Path) -> list[Outcome]:
    """Run the steps one after the other, those aside meanwhile; return how each went, in their order."""
    with ThreadPoolExecutor() as aside:
        begun = {step.name: aside.submit(run, step, scratch) for step in steps if step.aside}
        done = {step.name: run(step, scratch) for step in steps if not step.aside}
        return [done[step.name] if step.name in done else begun[step.name].result() for step in steps]


def summary(outcomes: list[Outcome], left_out: list[str], *, demand_all: bool) -> tuple[str, bool]:
    """Return the closing words, and whether everything is good."""
    lines = ["", "=" * 84, *(outcome.line for outcome in outcomes)]
    lines += [f"Left out: {reason}" for reason in left_out] or ["Nothing was left out."]
    good = all(outcome.good for outcome in outcomes)
    if left_out and demand_all:
        good = False
        lines.append("ML_TEST_REQUIRE_ALL=1 demands that nothing is left out.")
    lines.append("All good." if good else "Not good: see above.")
    return "\n".join(lines), good


def main() -> int:
    """Run everything and return the exit code."""
    problem = postgres_problem()
    with tempfile.TemporaryDirectory(prefix="mlplatform-checks-") as folder:
        coverage = os.environ.get("ML_TEST_COVERAGE") == "1"
        steps = checks() + test_runs(postgres=problem is None, coverage=coverage)
        outcomes = run_each(steps, Path(folder))
    left_out = [reason for outcome in outcomes for reason in outcome.left_out]
    if problem:
        left_out.append(f"the tests on PostgreSQL: {problem}")
    words, good = summary(outcomes, left_out, demand_all=os.environ.get("ML_TEST_REQUIRE_ALL") == "1")
    print(words, flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
