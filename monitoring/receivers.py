"""What the monitoring app does on hearing from lower folders: enqueue a task, nothing else."""

from typing import Any

from celery import current_app
from django.core.cache import cache

WAITS_AT_MOST = 30  # seconds; where the message is lost, the next outcome sends another


def settle_later(sender: Any, *, tenant_id: int, version_id: int, **kwargs: Any) -> None:
    """Have the decision behind a new version settled; sent by name, since apps load before models."""
    current_app.send_task(
        "monitoring.settle_version", args=(version_id,), kwargs={"tenant_id": tenant_id}, queue="monitoring"
    )


def inspect_later(sender: Any, *, tenant_id: int, version_id: int, **kwargs: Any) -> None:
    """Have the files of a version looked at of which one was refused."""
    current_app.send_task(
        "monitoring.inspect_version", args=(version_id,), kwargs={"tenant_id": tenant_id}, queue="monitoring"
    )


def weigh_later(sender: Any, *, tenant_id: int, rollout_id: int, **kwargs: Any) -> None:
    """Have a rollout weighed whose model has new outcomes; what comes in before that is weighed with it."""
    if cache.add(waiting_key(rollout_id), 1, WAITS_AT_MOST):
        current_app.send_task(
            "monitoring.tend_rollout", args=(rollout_id,), kwargs={"tenant_id": tenant_id}, queue="monitoring"
        )


def deliver_later(sender: Any, *, tenant_id: int, **kwargs: Any) -> None:
    """Have what was written down for the tenant's channels sent."""
    current_app.send_task("monitoring.deliver_waiting", kwargs={"tenant_id": tenant_id}, queue="monitoring")


def waiting_key(rollout_id: int) -> str:
    """Return under what the cache notes that a weighing is on its way."""
    return f"rollout-weighing:{rollout_id}"
