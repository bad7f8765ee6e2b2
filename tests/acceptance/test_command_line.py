"""A model's life from the command line alone, and a schedule that the real scheduler fires."""

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from sklearn.datasets import load_wine

from mlplatform.running.stack import PROJECT_ROOT, Stack, free_port, running_stack
from tests.plugins.commands import Commands, Done, kept_commands

pytestmark = pytest.mark.acceptance
FIRST_RUN_SECONDS = 100


@pytest.fixture(scope="module")
def stack(
    tmp_path_factory: pytest.TempPathFactory, migrated_sqlite: Callable[[Path], Path]
) -> Iterator[Stack]:
    """Run the whole platform on a data folder of its own, with nothing installed."""
    folder = tmp_path_factory.mktemp("platform")
    environment = {
        "DATABASE_URL": f"sqlite:///{migrated_sqlite(folder / 'platform.sqlite3')}",
        "CELERY_BROKER_URL": "filesystem://localhost",
    }
    with running_stack(folder, free_port(), environment) as running:
        yield running


@pytest.fixture(scope="module")
def commands(stack: Stack) -> Iterator[Commands]:
    """Run commands beside the platform, in a process that is kept."""
    with kept_commands(stack.env) as commands:
        yield commands


def own_process(stack: Stack, *arguments: str) -> Done:
    """Run a command as a shell does."""
    command = [sys.executable, "manage.py", *arguments]
    done = subprocess.run(command, cwd=PROJECT_ROOT, env=stack.env, capture_output=True, text=True)
    return Done(done.returncode, done.stdout, done.stderr)


def answered(done: Done) -> Any:
    """Demand that a command with ``--json`` succeeded, and return what it printed."""
    assert done.code == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def refused(done: Done) -> str:
    """Demand that a command failed as a command fails, and return what it said."""
    assert done.code == 1, done.stdout + done.stderr
    return done.stderr


def listed_schedules(commands: Commands, of: tuple[str, ...]) -> dict[str, Any]:
    """Return the tenant's schedules by name."""
    return {one["name"]: one for one in answered(commands("schedules", *of, "--json"))}


def test_every_command_and_the_scheduler(stack: Stack, commands: Commands, tmp_path: Path) -> None:
    def manage(*arguments: str) -> Any:
        return answered(commands(*arguments, "--json"))

    wine = load_wine(as_frame=True).frame.rename(columns=lambda name: str(name).replace("/", "_"))
    wine["target"] = wine["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    wine.iloc[::2].to_csv(tmp_path / "wine.csv", index=False)
    wine.iloc[1::2].drop(columns="target").to_parquet(tmp_path / "new.parquet")

    manage("create_tenant", "--tenant", "hill", "--admin", "ann@hill.example")
    of = ("--tenant", "hill")
    assert manage("create_api_key", *of, "--name", "lab", "--scopes", "read")["key"].startswith("mlp_")
    dataset = manage("import_dataset", *of, str(tmp_path / "wine.csv"))
    assert (dataset["rows"], dataset["created"]) == (89, True)
    manage("create_model", *of, "--name", "wine", "--target", "target", "--problem", "classification")
    job = manage("train", *of, "--model", "wine", "--dataset", str(dataset["dataset"]), "--wait")
    assert job["state"] == "succeeded"

    made = time.monotonic()
    for name, times in (("often", ("--cron", "* * * * *")), ("daily", ("--every", "1", "--unit", "days"))):
        schedule = manage("schedules", *of, "--create", name, "--model", "wine", *times)
        assert len(schedule["next_runs"]) == 5

    assert manage("promote", *of, "--model", "wine", "--number", "1")["champion"] == 1
    assert "already" in refused(commands("promote", *of, "--model", "wine", "--number", "1", "--json"))
    assert "no earlier champion" in refused(commands("rollback", *of, "--model", "wine", "--json"))
    files = ("--input", str(tmp_path / "new.parquet"), "--output", str(tmp_path / "answers.csv"))
    assert manage("predict", *of, "--model", "wine", *files)["rows"] == 89
    answers = pd.read_csv(tmp_path / "answers.csv")
    truth = wine["target"].iloc[1::2].to_numpy()
    assert (answers["prediction"].to_numpy() == truth).mean() > 0.8
    pd.DataFrame({"prediction_id": answers["prediction_id"], "outcome": truth}).to_csv(
        tmp_path / "outcomes.csv", index=False
    )
    assert manage("import_feedback", *of, str(tmp_path / "outcomes.csv"))["accepted"] == 89
    manage("run_checks", *of, "--model", "wine")
    listed = answered(own_process(stack, "list_models", *of, "--json"))
    assert [row["name"] for row in listed] == ["wine"]

    while not (fired := listed_schedules(commands, of)["often"])["last_result"]:  # the worker's word
        assert time.monotonic() < made + FIRST_RUN_SECONDS, "The scheduler did not fire."
        time.sleep(0.2)
    assert fired["last_fired_at"]


def test_doctor_finds_a_running_platform_healthy(commands: Commands) -> None:
    began = time.monotonic()
    while "no heartbeat yet" in (done := commands("doctor", "--json")).stdout:  # the first takes a while
        assert time.monotonic() < began + FIRST_RUN_SECONDS, "The scheduler gave no sign of life."
        time.sleep(0.2)
    assert answered(done)


@pytest.mark.parametrize("command", [("run_checks",), ("list_models",), ("rollback", "--model", "wine")])
def test_unknown_tenant_is_refused_before_anything_happens(
    commands: Commands, command: tuple[str, ...]
) -> None:
    said = refused(commands(*command, "--tenant", "nobody", "--json"))
    assert "There is no tenant 'nobody'" in said


def test_a_process_of_its_own_ends_with_the_code_and_the_words_of_a_refusal(stack: Stack) -> None:
    said = refused(own_process(stack, "run_checks", "--tenant", "nobody", "--json"))
    assert "There is no tenant 'nobody'" in said
