"""Answering: check the rows, ask the champion, log, reply."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import msgspec
from django.conf import settings
from django.core.cache import cache
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.request_context import current_request
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import take_room
from registry.errors import ArtifactCorrupt, InvalidRows, NoBounds, PredictionNotFound
from registry.inference.answers import RowAnswer
from registry.inference.bounds import Bounds, bounds_of
from registry.inference.conformal import Calibration
from registry.inference.engines import Engine
from registry.inference.plan import Asked, Plan
from registry.inference.schema import RowError, check_rows
from registry.inference.values import unstorable
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.services.personal import model_marks
from registry.services.plans import answering_version, plan_for
from registry.services.pseudonyms import entity_pseudonyms, treater
from registry.tabular.errors import TooFewRows

MAX_KEY_LENGTH = 200
INSERTED_AT_ONCE = 500
REPORT_EVERY_SECONDS = 3600


@dataclass(frozen=True)
class Answer:
    """A request's answer, wholly from one version; ``predictions`` are in the order of the rows."""

    model: str
    version: int
    request_id: str
    latency_ms: float
    predictions: list[Prediction]
    engine: Engine


def predict(
    *,
    model: RegisteredModel,
    rows: Sequence[Any],
    by: Actor,
    version: int | None = None,
    alias: str | None = None,
    entity_keys: Sequence[Any] | None = None,
    coverage: float | None = None,
) -> Answer:
    """Answer every row or none, and log each answer.

    Without ``version``, or an ``alias`` that points to one, the champion answers. ``entity_keys`` are the
    client's own names for the cases, one per row; the log keeps their pseudonyms, and personal columns as
    they are marked. With ``coverage`` each prediction comes with ``bounds`` that hold the truth at least so
    often, which the log does not keep.

    Raises InvalidRows, NoChampion, AliasNotFound, VersionNotFound, VersionNotReady, ArtifactCorrupt,
    CannotPredict, NoBounds where the version cannot say how sure it is, or NoRoom where the tenant may log
    no more.
    """
    started = time.perf_counter()
    _check_size(rows)
    answering = answering_version(model, version, alias)
    plan = _plan(answering, by)
    errors = check_rows(rows, plan.columns) + check_keys(entity_keys, len(rows))
    if errors:
        raise invalid_rows(errors, answering)
    asked = plan.ask(rows)
    bounds = [None] * len(rows) if coverage is None else _bounds(answering, asked.answers, coverage)
    latency_ms = (time.perf_counter() - started) * 1000
    keys = [key or "" for key in entity_keys] if entity_keys is not None else [""] * len(rows)
    logged = _log(answering, rows, asked, keys, by=by, latency_ms=latency_ms)
    for prediction, beside in zip(logged, bounds, strict=True):
        prediction.bounds = beside
    return Answer(
        model.name, answering.number, current_request().request_id, latency_ms, logged, asked.engine
    )


def find_prediction(pk: UUID) -> Prediction:
    """Return the tenant's logged prediction; raises PredictionNotFound."""
    try:
        return Prediction.objects.select_related("model", "version").get(pk=pk)
    except Prediction.DoesNotExist as error:
        raise PredictionNotFound(f"There is no prediction {pk}.") from error


def check_keys(keys: Sequence[Any] | None, rows: int) -> list[RowError]:
    """Return what is wrong with the client's case names."""
    if keys is None:
        return []
    if len(keys) != rows:
        message = f"{len(keys)} keys for {rows} rows. Send one for each row, null where there is none."
        return [{"row": None, "field": "entity_keys", "code": "wrong_number", "message": message}]
    errors: list[RowError] = []
    for position, key in enumerate(keys):
        problem = None
        if isinstance(key, str):
            problem = unstorable(key, MAX_KEY_LENGTH)
        elif key is not None:
            problem = ("wrong_type", "Must be text or null.")
        if problem is not None:
            errors.append(
                {"row": position, "field": "entity_keys", "code": problem[0], "message": problem[1]}
            )
    return errors[:100]


def invalid_rows(errors: Sequence[RowError], version: ModelVersion) -> InvalidRows:
    """Return the error that tells what is wrong with the rows."""
    first = errors[0]
    where = f"{first['field']}: " if first["field"] else ""
    return InvalidRows(
        f"The rows do not fit {version}. First of {len(errors)} errors: {where}{first['message']} "
        "Nothing was predicted.",
        fields=list(errors),
    )


def _check_size(rows: Sequence[Any]) -> None:
    limit = settings.MAX_PREDICTION_ROWS
    if 0 < len(rows) <= limit:
        return
    message = "Send at least one row." if not rows else f"Send at most {limit:,} rows in a request."
    raise InvalidRows(
        message, fields=[{"row": None, "field": "rows", "code": "wrong_number", "message": message}]
    )


def _bounds(version: ModelVersion, answers: Sequence[RowAnswer], coverage: float) -> Sequence[Bounds | None]:
    if version.conformal is None:
        raise NoBounds(
            f"{version} cannot say how sure its answers are: its training kept nothing to judge that by. "
            "Ask without intervals, or train the model again with an algorithm that gives probabilities."
        )
    try:
        return bounds_of(answers, msgspec.convert(version.conformal, Calibration), coverage)
    except TooFewRows as error:
        raise NoBounds(f"{version}: {error.detail}") from error


def _plan(version: ModelVersion, by: Actor) -> Plan:
    try:
        return plan_for(version)
    except ArtifactCorrupt as error:
        # One entry an hour tells the tale; a busy client must not flood the trail.
        if cache.add(f"artifact-refused:{version.pk}", 1, REPORT_EVERY_SECONDS):
            with tenant_transaction():
                record(by=by, action="version.artifact_refused", target=version, detail=error.detail)
        raise


def _log(
    version: ModelVersion,
    rows: Sequence[dict[str, Any]],
    asked: Asked,
    keys: Sequence[str],
    *,
    by: Actor,
    latency_ms: float,
) -> list[Prediction]:
    now, request_id, asked_by = timezone.now(), current_request().request_id, str(by)[:200]
    treat, entities = treater(model_marks(version.model)), entity_pseudonyms(keys)
    predictions = [
        Prediction(
            model=version.model,
            version=version,
            entity_key=entity,
            features=treat.row(row),
            label=answer.label or "",
            value=answer.value,
            probabilities=answer.probabilities,
            engine=asked.engine,
            latency_ms=latency_ms,
            request_id=request_id,
            asked_by=asked_by,
            # A microsecond apart: the rows keep their order, and no page boundary falls between equals.
            created_at=now + timedelta(microseconds=position),
        )
        for position, (row, answer, entity) in enumerate(zip(rows, asked.answers, entities, strict=True))
    ]
    with tenant_transaction():
        take_room(stored_rows=len(predictions))
        Prediction.objects.bulk_create(predictions, batch_size=INSERTED_AT_ONCE)
    return predictions
