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


def manage(stack: Stack, *arguments: str, code: int = 0) -> Any:
    """Run a command with ``--json``, demand its exit code, and return what it printed."""
    done = subprocess.run(
        [sys.executable, "manage.py", *arguments, "--json"],
        cwd=PROJECT_ROOT,
        env=stack.env,
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stderr if code else json.loads(done.stdout)


def test_every_command_and_the_scheduler(stack: Stack, tmp_path: Path) -> None:
    wine = load_wine(as_frame=True).frame.rename(columns=lambda name: str(name).replace("/", "_"))
    wine["target"] = wine["target"].map({0: "barolo", 1: "grignolino", 2: "barbera"})
    wine.iloc[::2].to_csv(tmp_path / "wine.csv", index=False)
    wine.iloc[1::2].drop(columns="target").to_parquet(tmp_path / "new.parquet")

    manage(stack, "create_tenant", "--tenant", "hill", "--admin", "ann@hill.example")
    of = ("--tenant", "hill")
    assert manage(stack, "create_api_key", *of, "--name", "lab", "--scopes", "read")["key"].startswith("mlp_")
    dataset = manage(stack, "import_dataset", *of, str(tmp_path / "wine.csv"))
    assert (dataset["rows"], dataset["created"]) == (89, True)
    manage(stack, "create_model", *of, "--name", "wine", "--target", "target", "--problem", "classification")
    job = manage(stack, "train", *of, "--model", "wine", "--dataset", str(dataset["dataset"]), "--wait")
    assert job["state"] == "succeeded"

    nightly = ("--create", "often", "--model", "wine", "--every", "1", "--unit", "minutes")
    made = time.monotonic()
    schedule = manage(stack, "schedules", *of, *nightly)
    assert len(schedule["next_runs"]) == 5

    assert manage(stack, "promote", *of, "--model", "wine", "--number", "1")["champion"] == 1
    assert "already" in manage(stack, "promote", *of, "--model", "wine", "--number", "1", code=1)
    assert "no earlier champion" in manage(stack, "rollback", *of, "--model", "wine", code=1)
    files = ("--input", str(tmp_path / "new.parquet"), "--output", str(tmp_path / "answers.csv"))
    assert manage(stack, "predict", *of, "--model", "wine", *files)["rows"] == 89
    answers = pd.read_csv(tmp_path / "answers.csv")
    truth = wine["target"].iloc[1::2].to_numpy()
    assert (answers["prediction"].to_numpy() == truth).mean() > 0.8
    pd.DataFrame({"prediction_id": answers["prediction_id"], "outcome": truth}).to_csv(
        tmp_path / "outcomes.csv", index=False
    )
    assert manage(stack, "import_feedback", *of, str(tmp_path / "outcomes.csv"))["accepted"] == 89
    manage(stack, "run_checks", *of, "--model", "wine")
    assert [row["name"] for row in manage(stack, "list_models", *of)] == ["wine"]

    while not (fired := manage(stack, "schedules", *of)[0])["last_fired_at"]:
        assert time.monotonic() < made + FIRST_RUN_SECONDS, "The scheduler did not fire."
        time.sleep(1)
    assert fired["last_result"]


def test_doctor_finds_a_running_platform_healthy(stack: Stack) -> None:
    checks = manage(stack, "doctor")
    assert checks


def test_unknown_tenant_is_refused_before_anything_happens(stack: Stack) -> None:
    for command in (("run_checks",), ("list_models",), ("rollback", "--model", "wine")):
        said = manage(stack, *command, "--tenant", "nobody", code=1)
        assert "There is no tenant 'nobody'" in said
