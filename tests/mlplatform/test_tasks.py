"""The heartbeat: beat fired and a worker answered."""

from datetime import timedelta

from django.utils import timezone

from mlplatform.models import Heartbeat
from mlplatform.tasks import heartbeat


def test_heartbeat_is_one_row_that_moves(db: None) -> None:
    heartbeat()
    first = Heartbeat.objects.get(name="beat").at
    heartbeat()
    only = Heartbeat.objects.get()
    assert only.at > first
    assert timezone.now() - only.at < timedelta(seconds=10)
    assert str(only).startswith("beat at 2")
