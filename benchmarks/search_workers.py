"""Does a second worker shorten a search? ``python -m benchmarks.search_workers``.

The same random search, with the same seed, as a job that one worker does alone and as one with which a second
may help: real workers, each fit on one processor. What is timed is the job, from its claim to its version,
and both must come to the same trials. Rounds are interleaved, medians told.
Exit code 1 where the bar is missed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

FOLDER = tempfile.TemporaryDirectory(prefix="mlplatform-benchmark-")
os.environ |= {
    "DJANGO_SETTINGS_MODULE": "mlplatform.settings",
    "ML_DATA_DIR": FOLDER.name,
    "DATABASE_URL": f"sqlite:///{FOLDER.name}/platform.sqlite3",
    "CELERY_BROKER_URL": "filesystem://localhost",
    "ML_TRAINING_THREADS": "1",
    "ML_LOG_LEVEL": "WARNING",
}

import django  # noqa: E402  # after the environment, as all that follows

django.setup()

import pandas as pd  # noqa: E402
from django.core.management import call_command  # noqa: E402
from sklearn.datasets import make_classification  # noqa: E402

from mlplatform.tenancy.actors import SYSTEM  # noqa: E402
from mlplatform.tenancy.scope import tenant_scope  # noqa: E402
from mlplatform.tenancy.services.tenants import create_tenant  # noqa: E402
from registry.models import Dataset, RegisteredModel  # noqa: E402
from registry.services.datasets import freeze  # noqa: E402
from registry.services.models import create_model  # noqa: E402
from training.models import JobState, TrainingJob, Trial  # noqa: E402
from training.models.job import ACTIVE_STATES  # noqa: E402
from training.services.jobs import find_job  # noqa: E402
from training.tasks import submit_job  # noqa: E402

ROOT = Path(__file__).resolve().parent.parent
SEED, ROWS, COLUMNS = 42, 20_000, 20
MOST_RATIO = 0.7  # of one worker's time, with two on two processors
PATIENCE = 900  # seconds until a job that does not end is a failure


def table(rows: int) -> pd.DataFrame:
    """Return made-up rows: 20 numbers and a class that follows from half of them."""
    inputs, answers = make_classification(rows, COLUMNS, n_informative=10, flip_y=0.1, random_state=SEED)
    return pd.DataFrame(inputs, columns=[f"x{place}" for place in range(COLUMNS)]).assign(answer=answers)


@contextmanager
def running_workers(count: int) -> Iterator[None]:
    """Run so many workers, each with one place, until the block ends."""
    command = [sys.executable, "-m", "celery", "-A", "mlplatform", "worker", "--concurrency", "1"]
    options = ["--queues", "default,training,monitoring", "--without-gossip", "--without-mingle"]
    log = Path(FOLDER.name) / "workers.log"
    with log.open("ab") as sink:
        started = [
            subprocess.Popen(
                [*command, *options, "-n", f"bench{place}@%h"], cwd=ROOT, stdout=sink, stderr=sink
            )
            for place in range(count)
        ]
        try:
            yield
        finally:
            for worker in started:
                worker.terminate()
            for worker in started:
                worker.wait()


def search(model: RegisteredModel, dataset: Dataset, workers: int, trials: int) -> tuple[float, list[Any]]:
    """Return the seconds of a search with so many workers, and its trials by place."""
    config = {
        "algorithms": [{"key": "hist_gradient_boosting"}],
        "folds": 3,
        "seed": SEED,
        "workers": workers,
        "search": {"method": "random", "trials": trials},
    }
    job = submit_job(model=model, dataset=dataset, config=config, by=SYSTEM)
    deadline = time.monotonic() + PATIENCE
    while (job := find_job(job.pk)).state in ACTIVE_STATES:
        if time.monotonic() > deadline:
            raise SystemExit(f"Job {job.pk} did not end within {PATIENCE} s.")
        time.sleep(0.2)
    if job.state != JobState.SUCCEEDED:
        raise SystemExit(f"Job {job.pk} {job.state}: {job.error}")
    made = list(Trial.objects.filter(job=job).order_by("number"))
    return job_seconds(job, made), [(one.algorithm, one.params, one.mean) for one in made]


def job_seconds(job: TrainingJob, made: list[Trial]) -> float:
    """Return how long the job took from its start to its end; the trials are nearly all of it."""
    if job.started_at is None or job.finished_at is None:
        raise SystemExit(f"Job {job.pk} does not tell when it ran.")
    helped = sum(trial.worker != 1 for trial in made)
    seconds = (job.finished_at - job.started_at).total_seconds()
    fits = sum(trial.fit_seconds or 0.0 for trial in made)
    told = f"{len(made)} trials, {fits:.1f} s of fits, {helped} trials by the second worker"
    print(f"  {told}: {seconds:.1f} s", flush=True)
    return seconds


def main() -> int:
    """Measure, print the table, return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=32)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    call_command("migrate", verbosity=0)
    seconds: dict[int, list[float]] = {1: [], 2: []}
    found: list[list[Any]] = []
    with tenant_scope(create_tenant(slug="benchmark", name="Benchmark", by=SYSTEM)), running_workers(2):
        model = create_model(name="shared", problem_type="classification", target="answer", by=SYSTEM)
        warm = freeze(name="warm", frame=table(500), by=SYSTEM, origin={"kind": "benchmark"})[0]
        dataset = freeze(name="rows", frame=table(ROWS), by=SYSTEM, origin={"kind": "benchmark"})[0]
        search(model, warm, 2, 4)
        for _ in range(options.rounds):
            for workers in seconds:
                took, trials = search(model, dataset, workers, options.trials)
                seconds[workers].append(took)
                found.append(trials)
    alone, together = (statistics.median(seconds[workers]) for workers in (1, 2))
    same, held = all(one == found[0] for one in found), together <= MOST_RATIO * alone
    print(f"{'workers':>8} {'seconds':>9} {'ratio':>7}")
    print(f"{1:>8} {alone:>9.1f} {1:>7.2f}")
    print(
        f"{2:>8} {together:>9.1f} {together / alone:>7.2f}   bar {MOST_RATIO}: {'held' if held else 'MISSED'}"
    )
    print(f"The trials and their scores are {'the same' if same else 'NOT THE SAME'} each time.")
    return 0 if held and same else 1


if __name__ == "__main__":
    sys.exit(main())
