"""How batch jobs are shown."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlplatform.admin.links import command_url
from mlplatform.admin.parts import Badge, Meter, Table, Tone
from mlplatform.admin.render import duration
from training.admin.words import STATE_TONES
from training.models import BatchJob, BatchPart, JobState
from training.models.batch import PartKind, PartState

MOST_LINES = 200
PART_TONES: dict[str, Tone] = {
    PartState.WAITING: "muted",
    PartState.RUNNING: "info",
    PartState.DONE: "good",
}


def batch_badge(job: BatchJob) -> Badge:
    """Return the job's state."""
    return Badge(JobState(job.state).label, STATE_TONES[job.state])


def batch_meter(job: BatchJob) -> Meter:
    """Return how far the job is."""
    progress = job.progress
    return Meter(progress / 100, f"{progress} %", STATE_TONES[job.state])


def took(job: BatchJob) -> str | None:
    """Return how long the job ran, or runs."""
    if job.started_at is None:
        return None
    gap: timedelta = (job.finished_at or timezone.now()) - job.started_at
    return duration(gap)


def sentence(job: BatchJob) -> str:
    """Say where the job stands."""
    bad = f", of which {job.bad_rows:,} did not fit the model" if job.bad_rows else ""
    if job.state == JobState.QUEUED:
        return "Waiting for a worker."
    if job.state == JobState.RUNNING:
        return f"{job.rows:,} rows answered so far{bad}. Running for {took(job)}."
    if job.state == JobState.SUCCEEDED:
        kept = (
            f"The files are kept until {job.expires_at:%Y-%m-%d %H:%M} UTC."
            if job.output_file and job.expires_at
            else "Its files were deleted when their time was over; start the batch again to have them."
        )
        return f"{job.rows:,} rows answered{bad} in {took(job)}. {kept}"
    return f"It ended after {took(job) or 'no time'}; no answers are kept. Start it again where it is needed."


def parts_table(job: BatchJob) -> Table:
    """Return the parts of the work with who does them."""
    parts = list(job.parts.all()[:MOST_LINES])
    more = job.parts.count() - len(parts)
    return Table(
        "Parts",
        ["Part", "State", "Rows", "Not fitting", "Attempt", "Took", "Worker"],
        [_line(part) for part in parts],
        empty="No part has been made yet.",
        note="The input is read and cut, its pieces are answered by the workers that are free, and joined in "
        "their order. A part whose worker is lost is done again."
        + (f" {more:,} further parts." if more else ""),
    )


def _line(part: BatchPart) -> list[Any]:
    gap = None
    if part.started_at is not None and part.state != PartState.WAITING:
        gap = duration((part.finished_at or timezone.now()) - part.started_at)
    answers = part.kind == PartKind.ANSWERS and part.state == PartState.DONE
    return [
        part.number if part.kind == PartKind.ANSWERS else PartKind(part.kind).label,
        Badge(PartState(part.state).label, PART_TONES[part.state]),
        part.rows if answers else None,
        part.bad_rows if answers else None,
        part.attempt or None,
        gap,
        part.worker,
    ]


def batch_context(job: BatchJob) -> dict[str, Any]:
    """Return what the live part of the page shows."""
    return {
        "job": job,
        "badge": batch_badge(job),
        "meter": batch_meter(job),
        "sentence": sentence(job),
        "address": command_url(job, "progress"),
        "parts": [parts_table(job)],
    }
