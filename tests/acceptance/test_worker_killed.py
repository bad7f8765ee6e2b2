"""A worker killed in the middle of a job: the job runs again, once."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.acceptance

ROOT = Path(__file__).resolve().parents[2]
LEASE_SECONDS = 3
MESSAGE_SECONDS = 10
DEADLINE_SECONDS = 90
SUBMIT = """
import pandas as pd
from sklearn.datasets import make_classification
from mlplatform.tenancy.actors import SYSTEM
from mlplatform.tenancy.scope import tenant_scope
from mlplatform.tenancy.services.tenants import create_tenant
from registry.services.datasets import freeze
from registry.services.models import create_model
from training.tasks import submit_job

inputs, answers = make_classification(2500, 12, n_informative=6, random_state=0)
frame = pd.DataFrame(inputs, columns=[f"x{n}" for n in range(12)]).assign(answer=answers)
with tenant_scope(create_tenant(slug="clinic", name="Clinic", by=SYSTEM)):
    dataset, _ = freeze(name="rows", frame=frame, by=SYSTEM, origin={"kind": "test"})
    model = create_model(name="slow", problem_type="classification", target="answer", by=SYSTEM)
    forest = {"key": "random_forest", "params": {"n_estimators": 200}}
    submit_job(model=model, dataset=dataset, config={"algorithms": [forest], "folds": 5}, by=SYSTEM)
"""


class Platform:
    """A data folder with a migrated database, and the workers that are started and killed on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = os.environ | {
            "ML_DATA_DIR": str(folder),
            "DATABASE_URL": f"sqlite:///{folder / 'platform.sqlite3'}",
            "CELERY_BROKER_URL": "filesystem://localhost",
            "ML_TRAINING_LEASE_SECONDS": str(LEASE_SECONDS),
            "ML_TRAINING_HEARTBEAT_SECONDS": "1",
        }
        self.workers: list[subprocess.Popen[bytes]] = []
        self.manage("shell", "-v0", "-c", SUBMIT)

    def manage(self, *arguments: str) -> None:
        """Run a management command to its end."""
        subprocess.run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment, check=True)

    def start_worker(self) -> None:
        """Start a worker process in a process group of its own."""
        command = [sys.executable, "-m", "celery", "-A", "mlplatform", "worker", "--concurrency", "1"]
        queues = ["--queues", "default,training,monitoring", "--without-gossip", "--without-mingle"]
        with (self.folder / "worker.log").open("ab") as log:
            self.workers.append(
                subprocess.Popen(
                    [*command, *queues],
                    cwd=ROOT,
                    env=self.environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            )

    def kill_worker(self) -> None:
        """Kill the newest worker with all its children, as a lost machine would."""
        worker = self.workers[-1]
        os.killpg(worker.pid, signal.SIGKILL)
        worker.wait()

    def query(self, sql: str) -> sqlite3.Row:
        """Return the first row."""
        database = sqlite3.connect(self.folder / "platform.sqlite3", timeout=20)
        database.row_factory = sqlite3.Row
        row: sqlite3.Row = database.execute(sql).fetchone()
        database.close()
        return row

    def count(self, sql: str) -> int:
        """Return the number that a counting query gives."""
        return int(self.query(sql)[0])

    @property
    def job(self) -> sqlite3.Row:
        """The only job, as it stands now."""
        silence = "(julianday('now') - julianday(heartbeat_at)) * 86400 AS silence"
        return self.query(f"SELECT *, {silence} FROM training_trainingjob")  # noqa: S608  # no outside text

    def wait_for(self, what: str, met: Callable[[], bool]) -> None:
        """Wait until the condition is met, and show the worker's log where it never is."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while not met():
            if time.monotonic() > deadline:
                pytest.fail(f"Waited in vain for {what}:\n{(self.folder / 'worker.log').read_text()[-5000:]}")
            time.sleep(0.1)

    def kill_in_the_middle_of_attempt(self, attempt: int) -> None:
        """Start a worker, wait for the first fold of this attempt, and kill it."""
        self.start_worker()
        self.wait_for(f"the first fold of attempt {attempt}", lambda: self.is_at_work(attempt))
        self.kill_worker()
        assert self.job["state"] == "running"
        self.wait_for("the lease to run out", lambda: self.job["silence"] > LEASE_SECONDS)

    def is_at_work(self, attempt: int) -> bool:
        """Tell whether a fold of this attempt is done."""
        job = self.job
        return bool(job["state"] == "running" and job["attempt"] == attempt and job["progress"] > 5)


@pytest.fixture
def platform(tmp_path: Path, migrated_sqlite: Callable[[Path], Path]) -> Iterator[Platform]:
    """A platform with one slow job in its queue."""
    migrated_sqlite(tmp_path / "platform.sqlite3")
    platform = Platform(tmp_path)
    yield platform
    for worker in platform.workers:
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()


def test_a_job_whose_worker_was_killed_is_run_again_and_succeeds(platform: Platform) -> None:
    platform.kill_in_the_middle_of_attempt(1)
    platform.start_worker()
    platform.wait_for("the second attempt", lambda: platform.job["state"] == "succeeded")
    assert platform.job["attempt"] == 2
    assert platform.count("SELECT COUNT(*) FROM registry_modelversion") == 1
    assert platform.count("SELECT COUNT(*) FROM training_trial") == 1
    assert platform.count("SELECT COUNT(*) FROM training_joblogline WHERE level = 'warning'") == 1


def test_a_job_that_kills_every_worker_is_given_up(platform: Platform) -> None:
    platform.kill_in_the_middle_of_attempt(1)
    platform.kill_in_the_middle_of_attempt(2)
    platform.start_worker()
    platform.wait_for("the job to be given up", lambda: platform.job["state"] == "failed")
    assert platform.job["error_code"] == "worker_lost"
    assert platform.job["attempt"] == 2
    assert platform.count("SELECT COUNT(*) FROM registry_modelversion") == 0


def test_a_worker_that_is_stopped_hands_its_job_back_to_the_next_one(platform: Platform) -> None:
    platform.start_worker()
    platform.wait_for("the first fold", lambda: platform.is_at_work(1))
    worker = platform.workers[-1]
    worker.send_signal(signal.SIGTERM)
    worker.wait(timeout=30)
    assert (platform.job["state"], platform.job["attempt"]) == ("queued", 0)
    age = "SELECT (julianday('now') - julianday(created_at)) * 86400 FROM training_trainingjob"
    platform.wait_for("a job whose message may be lost", lambda: platform.query(age)[0] > MESSAGE_SECONDS)
    platform.start_worker()
    platform.wait_for("the job to end", lambda: platform.job["state"] == "succeeded")
    assert platform.job["attempt"] == 1
    assert platform.count("SELECT COUNT(*) FROM registry_modelversion") == 1
