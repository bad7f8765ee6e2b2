"""How often a model answered, and how often from memory, as its log tells."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Q
from django.utils import timezone

from registry.models import Prediction, RegisteredModel

LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True)
class AnswerCounts:
    """Answers since a moment: those that are in the log, and those among them that came from memory."""

    since: datetime
    logged: int
    cached: int


def answer_counts(model: RegisteredModel, since: datetime | None = None) -> AnswerCounts:
    """Count the model's logged answers since a moment, by default of the last 7 days.

    Where the model keeps a share of its answers only, the others are not counted.
    """
    start = since or timezone.now() - LOOK_BACK
    rows = Prediction.objects.filter(model=model, created_at__gte=start).order_by()
    found = rows.aggregate(logged=Count("pk"), cached=Count("pk", filter=Q(cached=True)))
    return AnswerCounts(start, found["logged"], found["cached"])
