"""Suspicious feedback that was set aside, and what people decide about it."""

from django.db.models import Count, QuerySet
from django.utils import timezone

from feedback.errors import DecidedAlready, DecisionReasonMissing, QuarantineNotFound
from feedback.models import LabelTally, Outcome, Quarantine
from feedback.models.quarantine import QuarantineState
from feedback.services.setting_aside import recount
from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record

LONGEST_REASON = 500
SHOWN = 200


def quarantines_overview() -> QuerySet[Quarantine]:
    """Return the quarantines, newest first."""
    return Quarantine.objects.select_related("model")


def open_quarantines() -> QuerySet[Quarantine]:
    """Return those that wait for a decision."""
    return quarantines_overview().filter(state=QuarantineState.OPEN)


def find_quarantine(pk: int) -> Quarantine:
    """Return the quarantine; raises QuarantineNotFound."""
    found = quarantines_overview().filter(pk=pk).first()
    if found is None:
        raise QuarantineNotFound(f"There is no quarantine {pk}. List them at /api/v1/quarantines.")
    return found


def labels_in(case: Quarantine) -> list[tuple[str, int]]:
    """Return which labels were set aside and how often, the most frequent first; of numbers nothing."""
    rows = Outcome.objects.filter(quarantine=case).exclude(label="").order_by()
    counted = rows.values_list("label").annotate(Count("pk"))
    return sorted(counted, key=lambda one: (-one[1], one[0]))[:SHOWN]


def release(*, case: Quarantine, reason: str, by: Actor) -> Quarantine:
    """Let the labels count as if they had never been set aside; raises what ``reject`` does."""
    return _decide(case, QuarantineState.RELEASED, reason=reason, by=by)


def reject(*, case: Quarantine, reason: str, by: Actor) -> Quarantine:
    """Keep the labels as history that never counts.

    A decision may be changed later. Raises DecisionReasonMissing, DecidedAlready where it was decided so, and
    NotAllowed for whoever sent the labels.
    """
    return _decide(case, QuarantineState.REJECTED, reason=reason, by=by)


def _decide(case: Quarantine, state: QuarantineState, *, reason: str, by: Actor) -> Quarantine:
    reason = reason.strip()[:LONGEST_REASON]
    if not reason:
        raise DecisionReasonMissing("Say why.", fields={"reason": ["Needed."]})
    if str(by)[:200] == case.sender:
        raise NotAllowed("Nobody decides about their own labels. Ask somebody else.", code="own_labels")
    with tenant_transaction():
        row = Quarantine.objects.select_for_update().get(pk=case.pk)
        if row.state == state:
            raise DecidedAlready(f"It was {state.label.lower()} already, by {row.decided_by}.")
        before = {"state": row.state}
        row.state, row.decision, row.decided_by = state, reason, str(by)[:200]
        row.decided_at = timezone.now()
        row.save(update_fields=["state", "decision", "decided_by", "decided_at"])
        recount(row)
        _begin_anew(row)
        after = {"state": state, "decision": reason}
        record(by=by, action=f"quarantine.{state}", target=row, before=before, after=after, labels=row.labels)
    return find_quarantine(row.pk)


def _begin_anew(case: Quarantine) -> None:
    """Count the sender's labels from now on: those so far were decided about."""
    now = case.decided_at or timezone.now()
    decided = LabelTally.objects.filter(model=case.model_id, sender=case.sender, day__gte=case.since.date())
    decided.update(labels=0, imported=0, compared=0, disagreed=0, since=now)
