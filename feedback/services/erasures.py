"""Erasing a person's predictions and outcomes, two hundred at a time."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F, QuerySet
from django.utils import timezone

from feedback.errors import ErasureNotFound
from feedback.models import HeldOutcome, Outcome, SubjectErasure
from feedback.services.subjects import held_about, predictions_about, subject, subject_of, traces
from mlplatform.tenancy.actors import SYSTEM, Actor
from mlplatform.tenancy.pacing import break_after
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import give_back
from registry.models import Prediction, RegisteredModel
from registry.services.repeats import forget_answers

AT_ONCE = 200
LOST_AFTER = timedelta(minutes=10)


def request_erasure(*, key: str, model: RegisteredModel | None = None, by: Actor) -> SubjectErasure:
    """Note that the person is to be erased; ``carry_out`` does it. Only the pseudonym is kept.

    Raises InvalidInput for an unusable key, and WholeTenantNeeded.
    """
    entity = subject_of(key)
    with tenant_transaction():
        found = predictions_about(entity, model).count()
        erasure = SubjectErasure.objects.create(entity=entity, model=model, requested_by=str(by)[:200])
        of_model = None if model is None else model.name
        told: dict[str, Any] = {"erasure": erasure.pk, "model": of_model, "predictions": found}
        record(by=by, action="subject.erasure_requested", target=subject(entity), **told)
    return erasure


def carry_out(
    *, erasure: SubjectErasure, by: Actor = SYSTEM, on_progress: Callable[[int], None] | None = None
) -> SubjectErasure:
    """Remove the person's predictions with their outcomes; figures over many rows stay.

    Small transactions, so that nobody waits; broken off, it is called again and goes on. A finished erasure
    stays as it is. ``on_progress`` is told how many predictions have been removed.
    """
    if erasure.finished_at is not None:
        return erasure
    if not erasure.traces:  # looked for once, while the rows that they follow from are there
        erasure.traces = asdict(traces(entity=erasure.entity, model=erasure.model))
        with tenant_transaction():
            erasure.save(update_fields=["traces"])
    while _remove_some(erasure):
        erasure.refresh_from_db(fields=["predictions", "outcomes"])
        if on_progress is not None:
            on_progress(erasure.predictions)
    with tenant_transaction():
        mine = SubjectErasure.objects.filter(pk=erasure.pk, finished_at=None)
        ended = mine.update(finished_at=timezone.now())
        erasure.refresh_from_db()
        if ended:
            record(by=by, action="subject.erased", target=subject(erasure.entity), **_summary(erasure))
    return erasure


def erase_subject(
    *,
    key: str,
    model: RegisteredModel | None = None,
    by: Actor,
    on_progress: Callable[[int], None] | None = None,
) -> SubjectErasure:
    """Erase the person at once; raises what ``request_erasure`` does."""
    erasure = request_erasure(key=key, model=model, by=by)
    return carry_out(erasure=erasure, by=by, on_progress=on_progress)


def find_erasure(pk: int) -> SubjectErasure:
    """Return the tenant's erasure; raises ErasureNotFound."""
    found = erasures_overview().filter(pk=pk).first()
    if found is None:
        raise ErasureNotFound(f"There is no erasure {pk}.")
    return found


def erasures_overview() -> QuerySet[SubjectErasure]:
    """Return the erasures, newest first."""
    return SubjectErasure.objects.select_related("model")


def unfinished(now: datetime) -> list[int]:
    """Return the keys of erasures whose message may be lost."""
    with tenant_transaction():
        lost = SubjectErasure.objects.filter(finished_at=None, created_at__lt=now - LOST_AFTER)
        return list(lost.order_by("pk").values_list("pk", flat=True))


def _remove_some(erasure: SubjectErasure) -> int:
    """Remove a batch and count it in the same transaction; return how many predictions went."""
    with break_after(), tenant_transaction():
        forget_answers(about=erasure.entity, model=erasure.model)
        held_about(erasure.entity, erasure.model).delete()
        rows = predictions_about(erasure.entity, erasure.model).order_by("pk")
        keys = list(rows.select_for_update().values_list("pk", flat=True)[:AT_ONCE])
        if not keys:
            return 0
        HeldOutcome.objects.filter(prediction_key__in=keys).delete()
        outcomes, _ = Outcome.objects.filter(prediction__in=keys).delete()
        _, gone = Prediction.objects.filter(pk__in=keys).delete()
        give_back(stored_rows=gone.get("registry.Prediction", 0) + gone.get("registry.ShadowAnswer", 0))
        SubjectErasure.objects.filter(pk=erasure.pk).update(
            predictions=F("predictions") + gone.get("registry.Prediction", 0),
            outcomes=F("outcomes") + outcomes,
        )
    return len(keys)


def _summary(erasure: SubjectErasure) -> dict[str, Any]:
    return {
        "erasure": erasure.pk,
        "model": erasure.model.name if erasure.model else None,
        "predictions": erasure.predictions,
        "outcomes": erasure.outcomes,
        "traces": erasure.traces,
    }
