"""What the monitoring app does on hearing from lower folders: enqueue a task, nothing else."""

from typing import Any

from celery import current_app


def settle_later(sender: Any, *, tenant_id: int, version_id: int, **kwargs: Any) -> None:
    """Have the decision behind a new version settled; sent by name, since apps load before models."""
    current_app.send_task(
        "monitoring.settle_version", args=(version_id,), kwargs={"tenant_id": tenant_id}, queue="monitoring"
    )
