"""Answering a repeated request once: the ``Idempotency-Key`` (draft-ietf-httpapi-idempotency-key-header).

The first answer is kept in the transaction that logs it. Whoever sends the same request under the same key
gets that answer again, with the same prediction ids, and nothing is asked or logged. Of two that arrive
together the second one finds the key taken when it comes to keep its own: all it has done is undone, and it
gives the first one's answer.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.db import IntegrityError
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.pacing import break_after
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from registry.errors import InvalidKey, KeyReused
from registry.inference.bounds import Bounds
from registry.inference.reasons import Reasons
from registry.models import KeptAnswer, ModelVersion, Prediction, RegisteredModel
from registry.services.retention_rules import LONGEST_DAYS
from registry.services.serving import Answer, predict

LONGEST_KEY = 255
DELETED_AT_ONCE = 500
KIND = "answers"  # as retention knows them


@dataclass(frozen=True)
class Once:
    """A request that is to be answered once: the client's key for it, and a digest of all that it asks."""

    key: str
    fingerprint: str


class _KeptRow(msgspec.Struct):
    """One prediction as it was answered."""

    id: UUID | None
    version: int
    entity_key: str
    label: str
    value: float | None
    probabilities: dict[str, float] | None
    cached: bool
    bounds: Bounds | None
    reasons: Reasons | None


class _Kept(msgspec.Struct):
    """An answer as it was given."""

    model: str
    version: int | None
    request_id: str
    latency_ms: float
    engine: str | None
    predictions: list[_KeptRow]
    instead_of: int | None = None


def once(header: str | None, *asked: bytes) -> Once | None:
    """Return the request's key with the digest of what is ``asked``, or None where it has no key.

    The key may stand in quotation marks, as the draft has it, or without. Raises InvalidKey.
    """
    if header is None:
        return None
    key = header.strip()
    key = key[1:-1] if len(key) > 1 and key[0] == key[-1] == '"' else key
    if not key or len(key) > LONGEST_KEY or not (key.isascii() and key.isprintable()):
        raise InvalidKey(
            f"An Idempotency-Key has 1 to {LONGEST_KEY} printable ASCII characters. Send a fresh UUID for "
            "each request, and the same one when you send it again."
        )
    digest = hashlib.sha256()
    for part in asked:
        digest.update(len(part).to_bytes(8, "big") + part)
    return Once(key, digest.hexdigest())


def predict_once(
    *, once: Once | None, model: RegisteredModel, rows: Sequence[Any], by: Actor, **asked: Any
) -> Answer:
    """Answer as ``predict`` does, or again as the same request was answered before.

    Raises what ``predict`` raises, and KeyReused where the key was used for another request.
    """
    if once is None:
        return predict(model=model, rows=rows, by=by, **asked)
    name = name_of(once, by)
    known = _known(name, once, model)
    if known is not None:
        return known
    try:
        return predict(
            model=model, rows=rows, by=by, along=lambda answer: _keep(name, once, model, answer), **asked
        )
    except IntegrityError:
        known = _known(name, once, model)
        if known is None:
            raise
        return known


def forget_answers(*, about: str, model: RegisteredModel | None = None) -> int:
    """Delete the kept answers that name the case of this pseudonym; return how many."""
    kept = KeptAnswer.objects.filter(answer__contains=msgspec.json.encode(about).decode())
    return (kept if model is None else kept.filter(model=model)).delete()[0]


def sweep_answers(*, now: datetime) -> int:
    """Delete the active tenant's answers whose time is over; return how many."""
    swept = 0
    while True:
        with break_after(), tenant_transaction():
            old = KeptAnswer.objects.filter(created_at__lt=oldest_kept(now)).order_by("pk")
            keys = list(old.values_list("pk", flat=True)[:DELETED_AT_ONCE])
            KeptAnswer.objects.filter(pk__in=keys).delete()
        swept += len(keys)
        if len(keys) < DELETED_AT_ONCE:
            return swept


def name_of(once: Once, by: Actor) -> str:
    """Nobody gets what another person or key was answered, whatever their key for it is."""
    return hashlib.sha256(f"{by.kind}:{by.id}:{by.label}\n{once.key}".encode()).hexdigest()


def oldest_kept(now: datetime) -> datetime:
    """Return since when answers are kept: for the tenant's own days where it chose some (``retention``)."""
    chosen = current_tenant().retention.get(KIND)
    if chosen is None or "days" not in chosen:
        return now - timedelta(hours=settings.IDEMPOTENCY_HOURS)
    return now - timedelta(days=LONGEST_DAYS if chosen["days"] is None else chosen["days"])


def kept_answer(name: str, once: Once) -> KeptAnswer | None:
    """Return what was answered under the key, None where nothing was; raises KeyReused."""
    with tenant_transaction():
        kept = KeptAnswer.objects.filter(name=name, created_at__gte=oldest_kept(timezone.now())).first()
    if kept is not None and kept.fingerprint != once.fingerprint:
        raise KeyReused(
            "This Idempotency-Key was used for another request. Send a fresh key with each new request, and "
            "the very same body when you send one again."
        )
    return kept


def keep_answer(name: str, once: Once, model: RegisteredModel | None, answer: bytes) -> None:
    """Keep what was answered; call it in the transaction that does what was asked. Raises IntegrityError."""
    now = timezone.now()
    KeptAnswer.objects.filter(name=name, created_at__lt=oldest_kept(now)).delete()
    KeptAnswer.objects.create(
        model=model, name=name, fingerprint=once.fingerprint, answer=answer.decode(), created_at=now
    )


def _known(name: str, once: Once, model: RegisteredModel) -> Answer | None:
    kept = kept_answer(name, once)
    if kept is None:
        return None
    told = msgspec.json.decode(kept.answer, type=_Kept)
    predictions = [_prediction(model, row) for row in told.predictions]
    return Answer(
        model=told.model,
        version=told.version,
        request_id=told.request_id,
        latency_ms=told.latency_ms,
        predictions=predictions,
        engine=told.engine,
        instead_of=told.instead_of,
        repeated=True,
    )


def _prediction(model: RegisteredModel, row: _KeptRow) -> Prediction:
    prediction = Prediction(
        id=row.id,
        model=model,
        version=ModelVersion(model=model, number=row.version),
        entity_key=row.entity_key,
        label=row.label,
        value=row.value,
        probabilities=row.probabilities,
        cached=row.cached,
    )
    prediction.bounds, prediction.reasons = row.bounds, row.reasons
    return prediction


def _keep(name: str, once: Once, model: RegisteredModel, answer: Answer) -> None:
    kept = _Kept(
        model=answer.model,
        version=answer.version,
        request_id=answer.request_id,
        latency_ms=answer.latency_ms,
        engine=answer.engine,
        instead_of=answer.instead_of,
        predictions=[
            _KeptRow(
                id=one.pk,
                version=one.version.number,
                entity_key=one.entity_key,
                label=one.label,
                value=one.value,
                probabilities=one.probabilities,
                cached=one.cached,
                bounds=one.bounds,
                reasons=one.reasons,
            )
            for one in answer.predictions
        ],
    )
    keep_answer(name, once, model, msgspec.json.encode(kept))
