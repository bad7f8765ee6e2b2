"""What the training app does on hearing from its services: enqueue a task, nothing else."""

from typing import Any

from celery import current_app


def call_helpers(sender: Any, *, tenant_id: int, job_id: int, places: int, **kwargs: Any) -> None:
    """Ask as many workers as may help with a search; sent by name, since apps load before models."""
    for _ in range(places):
        current_app.send_task(
            "training.help_search", args=(job_id,), kwargs={"tenant_id": tenant_id}, queue="training"
        )
