"""Heartbeats: beat fired and a worker answered, and each worker listens."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError
from django.utils import timezone

from mlplatform import tasks
from mlplatform.models import Heartbeat
from mlplatform.tasks import heartbeat, live, note_worker, rest


def test_heartbeat_is_one_row_that_moves(db: None) -> None:
    heartbeat()
    first = Heartbeat.objects.get(name="beat").at
    heartbeat()
    only = Heartbeat.objects.get()
    assert only.at > first
    assert timezone.now() - only.at < timedelta(seconds=10)
    assert str(only).startswith("beat at 2")


class Consumer(SimpleNamespace):
    """As much of Celery's consumer as the receiver asks for: its name, and a timer that calls again."""

    hostname = "celery@here"

    def __init__(self) -> None:
        super().__init__(timer=self, again=[])

    def call_repeatedly(self, seconds: float, function: Any, args: tuple[str, ...]) -> None:
        self.again.append((seconds, function, args))


@pytest.fixture(autouse=True)
def _the_tests_own_connection() -> Any:
    """Let the worker close its connection, and leave that of the test."""
    with mock.patch.object(tasks, "connection"):
        yield


def test_a_worker_notes_that_it_listens_until_it_stops(db: None) -> None:
    consumer = Consumer()
    live(sender=consumer)
    first = Heartbeat.objects.get(name="worker:celery@here").at
    [(seconds, again, arguments)] = consumer.again
    assert seconds == 30
    again(*arguments)
    assert Heartbeat.objects.get().at > first
    rest(sender=consumer)
    assert not Heartbeat.objects.exists()


def test_a_worker_goes_on_where_the_database_is_away(db: None, caplog: pytest.LogCaptureFixture) -> None:
    with mock.patch.object(tasks, "sign_of_life", side_effect=OperationalError("away")):
        note_worker("worker:x")
    assert "The sign of life was not written: away" in caplog.text
