"""Joining held outcomes with their predictions once these are known, and giving up on the others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Coalesce

from feedback.models import HeldOutcome
from feedback.models.held import HeldState
from feedback.services.reported import Origin, OutcomeItem
from feedback.services.verdicts import Understood, understand
from feedback.services.writing import write_reports
from mlplatform.tenancy.actors import SYSTEM, ActorKind
from mlplatform.tenancy.models import ApiKey, User
from mlplatform.tenancy.pacing import break_after
from mlplatform.tenancy.permissions import Capability, can
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.settings import setting
from registry.models import Prediction, RegisteredModel

AT_ONCE = 1_000
SENDERS = {ActorKind.USER.value: User.objects, ActorKind.API_KEY.value: ApiKey.objects}
May = Callable[[str, int | None, RegisteredModel], bool]


@dataclass(frozen=True)
class Joined:
    """How many held outcomes became outcomes, did not fit their prediction, and were given up."""

    joined: int = 0
    refused: int = 0
    expired: int = 0


def join_held() -> Joined:
    """Record the active tenant's held outcomes whose predictions are known by now.

    Each goes through the same checks as if it came only now, with the moment and the sender it came from.
    One whose sender may not tell of the prediction's model stays, as if there were no such prediction.
    """
    joined, refused, last = 0, 0, 0
    while True:
        with break_after(), tenant_transaction():
            rows = list(_known(last)[:AT_ONCE])
            if not rows:
                return Joined(joined, refused)
            found = _understood(rows)
            done, wrong = _settle(rows, found)
        joined, refused, last = joined + done, refused + wrong, rows[-1].pk


def expire_held(*, now: datetime) -> int:
    """Give up on the outcomes that waited for too long, and return how many; they stay to be looked at."""
    before = now - timedelta(days=setting("outcome_hold_days"))
    with tenant_transaction():
        waiting = HeldOutcome.objects.filter(state=HeldState.WAITING, received_at__lt=before)
        count = waiting.update(state=HeldState.EXPIRED, reason="No such prediction came in time.")
        if count:
            record(by=SYSTEM, action="outcomes.expired", target=current_tenant(), count=count)
    return count


def _known(last: int) -> "QuerySet[HeldOutcome]":
    """Return waiting rows of which a prediction may be known, in the order in which they came."""
    by_id = Prediction.objects.filter(pk=OuterRef("prediction_key"))
    by_case = Prediction.objects.filter(
        model=OuterRef("model"),
        entity_key=OuterRef("entity_key"),
        created_at__lte=Coalesce(OuterRef("observed_at"), OuterRef("received_at")),
    )
    known = Q(prediction_key__isnull=False) & Exists(by_id) | ~Q(entity_key="") & Exists(by_case)
    rows = HeldOutcome.objects.filter(known, state=HeldState.WAITING, pk__gt=last)
    return rows.select_related("model").select_for_update(of=("self",), skip_locked=True).order_by("pk")


def _understood(rows: Sequence[HeldOutcome]) -> Understood:
    items = [
        OutcomeItem(
            row.prediction_key or "",
            row.value,
            row.entity_key,
            row.model.name if row.model else "",
            row.observed_at,
            row.rating,
            row.comment,
        )
        for row in rows
    ]
    origins = [Origin(row.received_at, row.received_from, row.source) for row in rows]
    return understand(items, origins)


def _settle(rows: Sequence[HeldOutcome], found: Understood) -> tuple[int, int]:
    may = _may()

    def allowed(index: int, model_id: int) -> bool:
        return may(rows[index].sender_kind, rows[index].sender_id, found.models[model_id])

    found.reports = [one for one in found.reports if allowed(one.place, one.model_id)]
    found.opinions = [one for one in found.opinions if allowed(one.place, one.model_id)]
    done = {one.place for one in found.reports} | {one.place for one in found.opinions}
    if done:
        write_reports(found, by=SYSTEM, source="held")
        HeldOutcome.objects.filter(pk__among=[rows[index].pk for index in done]).delete()
    for error in found.errors:
        wrong = HeldOutcome.objects.filter(pk=rows[error["index"]].pk)
        wrong.update(state=HeldState.REFUSED, reason=error["message"][:300])
    if found.errors:
        count = len(found.errors)
        record(by=SYSTEM, action="outcomes.refused", target=current_tenant(), count=count, source="held")
    return len(done), len(found.errors)


def _may() -> May:
    """Return what tells whether a sender may tell of a model; each is looked up once."""

    @cache
    def may(kind: str, key: int | None, model: RegisteredModel) -> bool:
        if kind not in SENDERS:
            return True  # a command, or the platform itself
        sender: Any = SENDERS[kind].filter(pk=key).first()
        return can(sender, Capability.FEEDBACK, model)

    return may
