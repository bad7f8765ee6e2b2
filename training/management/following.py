"""How the commands show a job, and follow it."""

import time
from typing import Any

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mlplatform.tenancy.scope import tenant_transaction
from training.models import JobState, TrainingJob
from training.services.jobs import find_job
from training.services.reproducing import Verdict

LOOK_EVERY_SECONDS = 0.5
MOST_TRIALS = 10
SHOWN_OF_TRIALS = ("rank", "algorithm", "metric", "mean", "std", "fit_seconds", "predict_ms", "size_bytes")


def follow(job: TrainingJob) -> TrainingJob:
    """Show the job's progress until it ends; raises CommandError where it did not succeed."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    console = Console(stderr=True)
    with Progress(*columns, TimeElapsedColumn(), console=console) as progress:
        line = progress.add_task(job.stage, total=100)
        while job.is_active:
            time.sleep(LOOK_EVERY_SECONDS)
            with tenant_transaction():
                job = find_job(job.pk)
            progress.update(line, completed=job.progress, description=job.stage or job.get_state_display())
    if job.state != JobState.SUCCEEDED:
        raise CommandError(f"Job {job.pk} {job.get_state_display().lower()}. {job.error}".strip())
    return job


def described(job: TrainingJob) -> dict[str, Any]:
    """Return the job as the command prints it."""
    body: dict[str, Any] = {
        "job": job.pk,
        "state": job.state,
        "model": job.model.name,
        "dataset": job.dataset_id,
    }
    if job.version is not None:
        body |= {
            "version": job.version.number,
            "algorithm": job.version.algorithm,
            "metrics": job.version.metrics,
        }
    if trials := job.ranked_trials[:MOST_TRIALS]:
        body["leaderboard"] = [{name: getattr(trial, name) for name in SHOWN_OF_TRIALS} for trial in trials]
    if job.verdict is not None:
        body |= {"verdict": Verdict(**job.verdict).sentence, "not as it was": job.verdict["environment"]}
    return body
