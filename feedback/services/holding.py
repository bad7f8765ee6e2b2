"""Keeping reports about predictions that are not known yet.

An outcome may overtake its prediction: the log is written a moment after the answer, a batch or an import
comes later, two systems report out of step. What waits looks the same whether there is no such prediction or
it is another tenant's.
"""

import hashlib
import math
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db.models import Count, Exists, OuterRef, QuerySet

from feedback.models import HeldOutcome
from feedback.models.held import HeldState
from feedback.services.opinions import opinion_in
from feedback.services.reported import Origin, Unclear
from feedback.services.verdicts import Named, Understood
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.bulk_rows import insert_rows
from mlplatform.tenancy.scope import current_tenant, tenant_scope
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.settings import setting
from registry.inference.values import unstorable

LONGEST_VALUE = 200


def hold(found: Understood, origin: Origin, *, by: Actor) -> list[dict[str, Any]]:
    """Keep the reports whose prediction is unknown; return index and prediction_id of each that waits.

    Those that are wrong in themselves, or for which there is no room, become errors. The same report again
    changes nothing. Call it in the tenant's transaction.
    """
    if not found.unknown:
        return []
    days = setting("outcome_hold_days")
    if not days:
        found.refuse_unknown()
        return []
    rows, waiting = _rows(found, origin, by, silent=setting("drop_comments"))
    if rows:
        _repeat(rows, origin)
        insert_rows(HeldOutcome, rows, known_stay=True)
        record(by=by, action="outcomes.held", target=current_tenant(), count=len(rows), source=origin.source)
    return waiting


def held_outcomes() -> QuerySet[HeldOutcome]:
    """Return the tenant's held outcomes, newest first."""
    return HeldOutcome.objects.select_related("model")


def held_counts() -> dict[str, int]:
    """Return how many wait, and how many were given up for which reason."""
    counted = HeldOutcome.objects.order_by().values_list("state").annotate(rows=Count("pk"))
    return {**dict.fromkeys(HeldState.values, 0), **dict(counted)}


def waits_until(held: HeldOutcome) -> datetime:
    """Return when it is given up."""
    return held.received_at + timedelta(days=setting("outcome_hold_days"))


def _rows(
    found: Understood, origin: Origin, by: Actor, *, silent: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    room, known = settings.MAX_HELD_OUTCOMES - _all_waiting(), set()
    rows: list[dict[str, Any]] = []
    waiting = []
    for one in found.unknown:
        try:
            row = _row(one, origin, by, silent=silent)
        except Unclear as error:
            found.refuse(one.place, one.item, error.code, str(error))
            continue
        if row["digest"] not in known:
            if len(rows) >= room:
                told = "There is no such prediction, and no room to wait for it: too many outcomes wait."
                found.refuse(one.place, one.item, "unknown_prediction", told)
                continue
            known.add(row["digest"])
            rows.append(row)
        waiting.append({"index": one.place, "prediction_id": one.item.about})
    found.unknown = []
    found.errors.sort(key=lambda error: error["index"])
    return rows, waiting


def _repeat(rows: Sequence[Mapping[str, Any]], origin: Origin) -> None:
    """Let what is said again after something else was said count as said now."""
    waiting = HeldOutcome.objects.filter(state=HeldState.WAITING)
    later = waiting.filter(
        prediction_key=OuterRef("prediction_key"), prediction_key__isnull=False
    ) | waiting.filter(model=OuterRef("model"), entity_key=OuterRef("entity_key")).exclude(entity_key="")
    said_before = waiting.filter(
        digest__among=[row["digest"] for row in rows],
        observed_at=None,
    )
    again = said_before.filter(Exists(later.filter(received_at__gt=OuterRef("received_at"))))
    locked = again.select_for_update(of=("self",), skip_locked=True)
    with tenant_scope(current_tenant()):  # of models that are not known yet, the sender sees no rows
        keys = list(locked.values_list("pk", flat=True))
        HeldOutcome.objects.filter(pk__in=keys).update(received_at=origin.received_at)


def _all_waiting() -> int:
    """How many wait in the whole tenant, in or out of sight."""
    with tenant_scope(current_tenant()):
        return HeldOutcome.objects.filter(state=HeldState.WAITING).count()


def _row(one: Named, origin: Origin, by: Actor, *, silent: bool) -> dict[str, Any]:
    rating, comment = opinion_in(one.item)
    value = _value(one.item.value) if one.item.tells_outcome else None
    said = {
        "model_id": one.model.pk if one.model else None,
        "prediction_key": one.key,
        "entity_key": one.case.entity if one.case else "",
        "value": value,
        "rating": rating,
        "comment": "" if silent else comment,
        "observed_at": one.observed_at,
    }
    return {
        **said,
        "digest": _digest([*said.values(), origin.received_from]),
        "state": HeldState.WAITING.value,
        "source": origin.source,
        "received_at": origin.received_at,
        "received_from": origin.received_from,
        "sender_kind": str(by.kind),
        "sender_id": by.id,
    }


def _value(value: object) -> str | float | bool:
    """Return what could be an outcome of some model; which one decides what it must be."""
    fits = isinstance(value, bool) or (
        unstorable(value, LONGEST_VALUE) is None and value.strip() != ""
        if isinstance(value, str)
        else isinstance(value, int | float) and abs(value) < 1e300 and not math.isnan(value)
    )
    if not fits:
        raise Unclear("invalid_outcome", "An outcome is a class or a number.")
    return value  # type: ignore[return-value]  # one of these, as was just looked at


def _digest(said: Sequence[object]) -> str:
    return hashlib.sha256(msgspec.json.encode(said)).hexdigest()
