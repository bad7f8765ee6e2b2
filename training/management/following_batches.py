"""How the commands follow a batch, and write its answers to a file."""

import time
from pathlib import Path

from django.core.management.base import CommandError
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit_export import Export
from training.management.following import LOOK_EVERY_SECONDS
from training.models import BatchJob, JobState
from training.services.batches import fetch_answers, fetch_errors, find_batch


def follow_batch(job: BatchJob) -> BatchJob:
    """Show the batch's progress until it ends; raises CommandError where it did not succeed."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:.0f} %"))
    with Progress(*columns, TimeElapsedColumn(), console=Console(stderr=True)) as progress:
        line = progress.add_task("Waiting for a worker", total=100)
        while job.is_active:
            time.sleep(LOOK_EVERY_SECONDS)
            with tenant_transaction():
                job = find_batch(job.pk)
                progress.update(line, completed=job.progress, description=f"{job.rows:,} rows")
    if job.state != JobState.SUCCEEDED:
        raise CommandError(f"Batch {job.pk} {job.get_state_display().lower()}. {job.error}".strip())
    return job


def check_folder(path: Path) -> None:
    """Raise InvalidInput where no file could be written there."""
    if not path.parent.is_dir():
        raise InvalidInput(f"There is no folder {path.parent}. Make it first.")


def write_answers(job: BatchJob, path: Path, *, by: Actor) -> dict[str, str]:
    """Write the answers to ``path``, and what did not fit beside it; return where they are."""
    check_folder(path)
    _write(fetch_answers(job=job, by=by), path)
    found = {"output": str(path)}
    if job.errors_file:
        beside = path.with_name(f"{path.stem}-errors.csv")
        _write(fetch_errors(job=job, by=by), beside)
        found["errors"] = str(beside)
    return found


def _write(export: Export[bytes], path: Path) -> None:
    with path.open("wb") as file:
        file.writelines(export.lines)
