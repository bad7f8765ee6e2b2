"""Platform-wide background tasks."""

import logging
from typing import Any

from celery import shared_task
from celery.signals import beat_init, worker_init, worker_ready, worker_shutdown
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connection

from mlplatform.heartbeats import BEAT, WORKER, WORKER_SECONDS, fall_silent, sign_of_life
from mlplatform.tenancy.guard import refuse_gaps

logger = logging.getLogger(__name__)


@shared_task(name="mlplatform.heartbeat")
def heartbeat() -> None:
    """Note that beat fired and a worker answered: the sign that schedules are alive."""
    sign_of_life(BEAT)


@worker_ready.connect
def live(sender: Any, **kwargs: Any) -> None:
    """Have the worker note every half minute that it listens, however busy its processes are."""
    name = f"{WORKER}{sender.hostname}"
    note_worker(name)
    sender.timer.call_repeatedly(WORKER_SECONDS, note_worker, (name,))


def note_worker(name: str) -> None:
    """Note that this worker listens; where the database is away, the next time does."""
    try:
        sign_of_life(name)
    except DatabaseError as error:
        logger.warning("The sign of life was not written: %s", error)
    finally:
        connection.close()  # the processes that the worker starts later must not share it


@worker_shutdown.connect
def rest(sender: Any, **kwargs: Any) -> None:
    """A worker that stops as it was told to is not missed."""
    try:
        fall_silent(f"{WORKER}{sender.hostname}")
    except DatabaseError as error:
        logger.warning("The end of the worker was not written: %s", error)


@worker_init.connect
@beat_init.connect
def refuse_to_start(**kwargs: Any) -> None:
    """End a worker or a scheduler whose database role could see past the tenants' wall."""
    try:
        refuse_gaps()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error  # Celery goes on after any other exception of a signal
