"""The live part of a job's page."""

from typing import Any

from mlplatform.admin.links import command_url
from mlplatform.admin.parts import Fragment
from training.admin.words import leaderboard, progress_meter, state_badge, time_left, took
from training.models import TrainingJob

LOG_LINES = 500


def progress_context(job: TrainingJob) -> dict[str, Any]:
    """Return what the live part of the page shows."""
    return {
        "job": job,
        "badge": state_badge(job),
        "meter": progress_meter(job),
        "took": took(job),
        "left": time_left(job),
        "address": command_url(job, "progress"),
        "parts": [leaderboard(job), log_of(job)],
    }


def log_of(job: TrainingJob) -> Fragment:
    """Return the newest lines of the job's log, oldest first."""
    lines = list(job.log.order_by("-pk")[:LOG_LINES])[::-1]
    text = "\n".join(f"{line.at:%H:%M:%S}  {line.level:<7} {line.message}" for line in lines)
    return Fragment("Log", "admin/parts/text.html", {"text": text or "Nothing yet."}, note="Times in UTC.")
