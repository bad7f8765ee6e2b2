"""A model's life from the command line alone, and a schedule that the real scheduler fires."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_wine

from mlplatform.running.stack import PROJECT_ROOT, Stack, free_port, running_stack

pytestmark = pytest.mark.acceptance
FIRST_RUN_SECONDS = 100


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """Run the whole platform on a data folder of its own, with nothing installed."""
    folder = tmp_path_factory.mktemp("platform")
    environment = {
        "DATABASE_URL": f"sqlite:///{folder}/platform.sqlite3",
        "CELERY_BROKER_URL": "filesystem://localhost",
    }
    with running_stack(folder, free_port(), environment) as running:
        yield running


class Commands:
    """A process that runs one command after the other; ``of`` is the tenant that they work for."""

    of = ("--tenant", "hill")

    def __init__(self, stack: Stack) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.acceptance.commands"],
            cwd=PROJECT_ROOT,
            env=stack.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __call__(self, *arguments: str, code: int = 0) -> Any:
        """Run a command with ``--json``, demand its exit code, and return what it printed."""
        given, answers = self._process.stdin, self._process.stdout
        assert given is not None
        assert answers is not None
        given.write(json.dumps([*arguments, "--json"]) + "\n")
        given.flush()
        done = json.loads(answers.readline())
        assert done["code"] == code, done["out"] + done["error"]
        return done["error"] if code else json.loads(done["out"])

    def close(self) -> None:
        """End the process and wait for it."""
        self._process.communicate()


@pytest.fixture(scope="module")
def run(stack: Stack) -> Iterator[Commands]:
    """Run commands on the platform, without a start of Python for each."""
    commands = Commands(stack)
    yield commands
    commands.close()


def manage(stack: Stack, *arguments: str, code: int = 0) -> Any:
    """Do the same with ``manage.py`` itself, as a person does."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json"],
        cwd=PROJECT_ROOT,
        env=stack.env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else json.loads(done.stdout)


def test_every_command_and_the_scheduler(stack: Stack, run: Commands, tmp_path: Path) -> None:
    wine = load_wine(as_frame=True).frame.rename(columns=lambda name: str(name).replace("/", "_"))
    wine["target"] = wine["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    wine.iloc[::2].to_csv(tmp_path / "wine.csv", index=False)
    wine.iloc[1::2].drop(columns="target").to_parquet(tmp_path / "new.parquet")

    manage(stack, "create_tenant", "--tenant", "hill", "--admin", "ann@hill.example")
    of = run.of
    assert run("create_api_key", *of, "--name", "lab", "--scopes", "read")["key"].startswith("mlp_")
    dataset = run("import_dataset", *of, str(tmp_path / "wine.csv"))
    assert (dataset["rows"], dataset["created"]) == (89, True)
    run("create_model", *of, "--name", "wine", "--target", "target", "--problem", "classification")
    job = manage(stack, "train", *of, "--model", "wine", "--dataset", str(dataset["dataset"]), "--wait")
    assert job["state"] == "succeeded"

    nightly = ("--create", "often", "--model", "wine", "--every", "1", "--unit", "minutes")
    made = time.monotonic()
    schedule = run("schedules", *of, *nightly)
    assert len(schedule["next_runs"]) == 5

    assert run("promote", *of, "--model", "wine", "--number", "1")["champion"] == 1
    assert "already" in run("promote", *of, "--model", "wine", "--number", "1", code=1)
    assert "no earlier champion" in run("rollback", *of, "--model", "wine", code=1)
    files = ("--input", str(tmp_path / "new.parquet"), "--output", str(tmp_path / "answers.csv"))
    assert run("predict", *of, "--model", "wine", *files)["rows"] == 89
    answers = pd.read_csv(tmp_path / "answers.csv")
    truth = wine["target"].iloc[1::2].to_numpy()
    assert (answers["prediction"].to_numpy() == truth).mean() > 0.8
    pd.DataFrame({"prediction_id": answers["prediction_id"], "outcome": truth}).to_csv(
        tmp_path / "outcomes.csv", index=False
    )
    assert run("import_feedback", *of, str(tmp_path / "outcomes.csv"))["accepted"] == 89
    run("run_checks", *of, "--model", "wine")
    assert [row["name"] for row in run("list_models", *of)] == ["wine"]

    while not (fired := run("schedules", *of)[0])["last_fired_at"]:
        assert time.monotonic() < made + FIRST_RUN_SECONDS, "The scheduler did not fire."
        time.sleep(1)
    assert fired["last_result"]


def test_doctor_finds_a_running_platform_healthy(stack: Stack) -> None:
    checks = manage(stack, "doctor")
    assert checks


def test_unknown_tenant_is_refused_before_anything_happens(stack: Stack, run: Commands) -> None:
    refused = [
        manage(stack, "list_models", "--tenant", "nobody", code=1),
        run("run_checks", "--tenant", "nobody", code=1),
        run("rollback", "--model", "wine", "--tenant", "nobody", code=1),
    ]
    for said in refused:
        assert "There is no tenant 'nobody'" in said
