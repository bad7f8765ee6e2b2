"""What a policy would have done, replayed from what is recorded."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q
from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.deciding.replay import Replay, replay, usual_duration
from monitoring.deciding.rollback import RollbackJudgement, first_proof
from monitoring.models import RetrainingDecision, RetrainingPolicy
from monitoring.models.policy import ROLLBACKS, DecisionState
from monitoring.services.histories import past_of
from monitoring.services.policies import changed_policy, policy_of, terms_of
from monitoring.services.rollback_evidence import rollback_terms_of, watch_of
from registry.models import RegisteredModel
from registry.models.deployment import DeploymentAction
from registry.services.champions import champion_changes

DAYS, MOST_DAYS = 30, 90


@dataclass(frozen=True)
class PreviewedRollback:
    """A champion that would have been taken back at ``at``."""

    at: datetime
    version: int
    judgement: RollbackJudgement


@dataclass(frozen=True)
class Preview:
    """A policy, what it would have done, and how often the recorded one really retrained in that time."""

    policy: RetrainingPolicy
    replayed: Replay
    really: int
    rollbacks: tuple[PreviewedRollback, ...] = ()


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
        really = started.exclude(ROLLBACKS | Q(state=DecisionState.DECLINED)).count()
        rollbacks = _rollbacks(policy, since, until)
    took = usual_duration(history.retrainings or history.jobs)
    replayed = replay(terms_of(policy), history, since=since, until=until, took=took)
    return Preview(policy, replayed, really, rollbacks)


def _rollbacks(policy: RetrainingPolicy, since: datetime, until: datetime) -> tuple[PreviewedRollback, ...]:
    """Return which champions would have been taken back: each promotion is judged until the next change."""
    terms = rollback_terms_of(policy)
    if not policy.enabled or not terms.signals:
        return ()
    changes = champion_changes(policy.model).select_related("version__model", "previous")
    ordered = list(changes.order_by("created_at", "pk"))
    found = []
    for place, change in enumerate(ordered):
        ends = min(ordered[place + 1].created_at, until) if place + 1 < len(ordered) else until
        if change.action != DeploymentAction.PROMOTE or change.previous is None or ends < since:
            continue
        proof = first_proof(terms, watch_of(policy, change, until=ends), ends)
        if proof is not None and proof[0] >= since:
            found.append(PreviewedRollback(proof[0], change.version.number, proof[1]))
    return tuple(found)


def rollback_line(one: PreviewedRollback) -> dict[str, Any]:
    """Return a rollback of a preview as plain values."""
    proven = one.judgement.proven
    rule = proven.signal.value if proven else ""
    return {"at": one.at, "version": one.version, "rule": rule, "reason": one.judgement.sentence}


def preview_words(preview: Preview) -> str:
    """Return what the preview comes to, in words."""
    replayed = preview.replayed
    days = round((replayed.until - replayed.since).total_seconds() / 86_400)
    held = len(replayed.decisions) - replayed.retrainings
    waits = f" Its limits would have held it back {_times(held)}." if held else ""
    told = (
        f"Over the last {days} days this policy would have retrained {_times(replayed.retrainings)}.{waits}"
    )
    taken = preview.rollbacks
    back = f" It would have rolled back {_times(len(taken))}." if taken else ""
    return f"{told}{back} In that time the recorded policy has retrained {_times(preview.really)}."


def _times(number: int) -> str:
    return "once" if number == 1 else f"{number} times"
