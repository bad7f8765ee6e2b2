"""Letters about what policies did that people must know of."""

from datetime import timedelta

from django.db.models import Q, QuerySet
from django.utils import timezone

from mlplatform.tenancy.permissions import Capability
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from monitoring.models import RetrainingDecision
from monitoring.models.policy import DecisionState, OnSuccess
from registry.services.letters import members_who_may, write_to

TELLS = Q(state=DecisionState.ROLLED_BACK) | Q(
    state=DecisionState.KEPT, model__policy__on_success=OnSuccess.TELL
)
TRIED_FOR = timedelta(days=1)  # a letter about something older says nothing new


def untold_decisions() -> list[int]:
    """Return the keys of decisions that people are to be told of, and were not."""
    with tenant_transaction():
        return list(_untold().order_by("pk").values_list("pk", flat=True))


def tell_of_decision(*, decision: RetrainingDecision) -> int:
    """Write once to each member who watches over the model; return to how many.

    A later call tries again where the mail server takes no letter.
    """
    with tenant_transaction():
        if not _untold().filter(pk=decision.pk).update(told_at=timezone.now()):
            return 0
    rolled_back = decision.state == DecisionState.ROLLED_BACK
    subject = f"{decision.model} was rolled back" if rolled_back else f"{decision.model} was retrained"
    lines = [
        f"{subject}.",
        decision.reason,
        decision.outcome,
        f"Console: Retraining decisions. By program: GET /api/v1/decisions/{decision.pk}/chain",
        f"You get this letter as one who looks after models of {current_tenant().name}.",
    ]
    people = members_who_may(Capability.MONITOR, decision)
    told, all_taken = write_to(people, subject, "\n\n".join(lines) + "\n")
    if not told and not all_taken:
        with tenant_transaction():
            RetrainingDecision.objects.filter(pk=decision.pk).update(told_at=None)
    return told


def _untold() -> "QuerySet[RetrainingDecision]":
    return RetrainingDecision.objects.filter(TELLS, told_at=None, settled_at__gt=timezone.now() - TRIED_FOR)
