"""What a policy would have done, replayed from what is recorded."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.deciding.replay import Replay, replay, usual_duration
from monitoring.models import RetrainingDecision, RetrainingPolicy
from monitoring.models.policy import DecisionState
from monitoring.services.histories import past_of
from monitoring.services.policies import changed_policy, policy_of, terms_of
from registry.models import RegisteredModel

DAYS, MOST_DAYS = 30, 90


@dataclass(frozen=True)
class Preview:
    """A policy, what it would have done, and how often the recorded one really retrained in that time."""

    policy: RetrainingPolicy
    replayed: Replay
    really: int


def preview_policy(*, model: RegisteredModel, days: int = DAYS, **changes: Any) -> Preview:
    """Replay the model's policy, with these fields changed, over the last days; nothing is saved.

    Raises InvalidPolicy for changes that cannot be, InvalidInput for days outside 1 to ``MOST_DAYS``.
    """
    if not 1 <= days <= MOST_DAYS:
        raise InvalidInput("The preview cannot reach that far.", fields={"days": [f"From 1 to {MOST_DAYS}."]})
    policy = changed_policy(policy_of(model), changes)
    until = timezone.now()
    since = until - timedelta(days=days)
    with tenant_transaction():
        history = past_of(model, since)
        started = RetrainingDecision.objects.filter(model=model, created_at__gte=since)
        really = started.exclude(state=DecisionState.DECLINED).count()
    took = usual_duration(history.retrainings or history.jobs)
    return Preview(policy, replay(terms_of(policy), history, since=since, until=until, took=took), really)


def preview_words(preview: Preview) -> str:
    """Return what the preview comes to, in words."""
    replayed = preview.replayed
    days = round((replayed.until - replayed.since).total_seconds() / 86_400)
    held = len(replayed.decisions) - replayed.retrainings
    waits = f" Its limits would have held it back {_times(held)}." if held else ""
    told = (
        f"Over the last {days} days this policy would have retrained {_times(replayed.retrainings)}.{waits}"
    )
    return f"{told} In that time the recorded policy has retrained {_times(preview.really)}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
