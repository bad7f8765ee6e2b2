"""Answering: check the rows, ask the champion, log, reply."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.core.cache import cache
from django.db import IntegrityError, transaction
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.request_context import current_request, note
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from mlplatform.tenancy.services.usage import take_room
from registry.errors import ArtifactCorrupt, ChallengerFailed, PredictionNotFound
from registry.inference.schema import check_rows
from registry.models import ModelVersion, Prediction, RegisteredModel
from registry.models.prediction import time_ordered_uuid
from registry.services.beside import bounds_for, reasons_for
from registry.services.forks import Dealt, Fork, Given, answered, deal, running_rollout
from registry.services.personal import model_marks
from registry.services.plans import answering_version, plan_for
from registry.services.pseudonyms import entity_pseudonyms, treater
from registry.services.rollout_ends import give_up
from registry.services.row_checks import check_keys, check_size, invalid_rows
from registry.services.sampling import kept_positions
from registry.services.shadow_queue import QUEUE
from registry.services.shadows import ask_shadows, shadow_versions
from registry.services.standing_in import Answering, answering_for
from registry.services.warming import warmed

INSERTED_AT_ONCE = 500
REPORT_EVERY_SECONDS = 3600
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    """A request's answer; ``predictions`` are in the order of the rows, each wholly from one version.

    ``version`` and ``engine`` gave all of them; None where a rollout dealt the rows to two versions.
    """

    model: str
    version: int | None
    request_id: str
    latency_ms: float
    predictions: list[Prediction]
    engine: str | None
    instead_of: int | None = None  # the champion, where it is damaged and an earlier one stood in
    repeated: bool = False  # given before to the same request: nothing was asked or logged again


def predict(
    *,
    model: RegisteredModel,
    rows: Sequence[Any],
    by: Actor,
    version: int | None = None,
    alias: str | None = None,
    entity_keys: Sequence[Any] | None = None,
    coverage: float | None = None,
    ids: Sequence[UUID | None] | None = None,
    top: int | None = None,
    along: Callable[[Answer], None] | None = None,
) -> Answer:
    """Answer every row or none, and log each answer, or the share of them that the model keeps.

    Without ``version``, or an ``alias`` that points to one, the champion answers, and while a rollout runs
    its challenger the cases that are dealt to it (see ``forks``); where the champion's file is damaged, the
    champion before it, which the answer says. ``entity_keys`` are the client's own names for the cases, one
    per row; the log keeps their pseudonyms, and personal columns as they are marked. With
    ``coverage`` each prediction comes with ``bounds`` that hold the truth at least so often, with ``top``
    with so many of its largest ``reasons``, neither of which the log keeps. A prediction that is not kept in
    the log has no id. ``along`` is called with the answer in the transaction that logs it.

    ``ids`` are those of a first try of the same request whose commit was not confirmed: where its rows are
    in the log, they are the answer, and nothing is logged twice.

    Raises InvalidRows, NoChampion, AliasNotFound, VersionNotFound, VersionNotReady, ArtifactCorrupt,
    CannotPredict, NoBounds where the version cannot say how sure it is, NotExplainable where there are no
    reasons to tell, or NoRoom where the tenant may log no more.
    """
    started = time.perf_counter()
    check_size(rows)
    usual = version is None and alias is None
    wanted = answering_version(model, version, alias)
    note(version=wanted.number)
    found = _answering(wanted, by, stand_in=usual)
    note(stood_in=found.instead_of is not None)
    entities = _checked(rows, entity_keys, found)
    dealt = _deal(found, rows, entities, by, bounded=coverage is not None) if usual else None
    given = _answered(found, rows, dealt)
    bounds, reasons = bounds_for(given, coverage), reasons_for(given, rows, top)
    latency_ms = (time.perf_counter() - started) * 1000

    def answer(logged: list[Prediction]) -> Answer:
        for prediction, sure, why in zip(logged, bounds, reasons, strict=True):
            prediction.bounds, prediction.reasons = sure, why
        return _told(logged, given, found, latency_ms)

    predictions = _predictions(model, rows, given, entities, by=by, latency_ms=latency_ms, ids=ids)
    logged = _log(predictions, ids, (lambda: along(answer(predictions))) if along else None)
    _shadow(model, rows, logged)
    return answer(logged)


def _checked(rows: Sequence[Any], keys: Sequence[Any] | None, found: Answering) -> list[str]:
    """Return the pseudonyms of the cases, empty where there is none; raises InvalidRows."""
    errors = check_rows(rows, found.plan.columns) + check_keys(keys, len(rows))
    if errors:
        raise invalid_rows(errors, found.version)
    return entity_pseudonyms([key or "" for key in keys or [""] * len(rows)])


def sole(values: Sequence[T]) -> T | None:
    """Return the value that all of them are, or None where they differ."""
    return values[0] if all(value == values[0] for value in values) else None


def find_prediction(pk: UUID) -> Prediction:
    """Return the tenant's logged prediction; raises PredictionNotFound."""
    try:
        return Prediction.objects.select_related("model", "version").get(pk=pk)
    except Prediction.DoesNotExist as error:
        raise PredictionNotFound(f"There is no prediction {pk}.") from error


def _deal(
    found: Answering, rows: Sequence[dict[str, Any]], entities: Sequence[str], by: Actor, *, bounded: bool
) -> Dealt | None:
    """Deal the rows out where a rollout runs; ``bounded`` answers only a challenger gives that can."""
    rollout = running_rollout(found.version.model, found.version)
    if rollout is None or (bounded and rollout.challenger.conformal is None):
        return None
    try:
        theirs = _answering(rollout.challenger, by, stand_in=False)
    except ArtifactCorrupt as error:
        give_up(challenger=rollout.challenger, why=error.detail)
        return None
    fork = Fork(rollout.pk, rollout.route, theirs.version, theirs.plan)
    return deal(fork, rows, entities, current_request().request_id, timezone.now(), found.plan.columns)


def _answered(found: Answering, rows: Sequence[dict[str, Any]], dealt: Dealt | None) -> list[Given]:
    """Answer the rows; a challenger that fails is taken back at once, and the champion answers them all."""
    try:
        return answered(found.version, found.plan, rows, dealt)
    except ChallengerFailed as error:
        if dealt is None:
            raise
        give_up(challenger=dealt.fork.version, why=error.detail)
        return answered(found.version, found.plan, rows)


def _told(logged: list[Prediction], given: Sequence[Given], found: Answering, latency_ms: float) -> Answer:
    return Answer(
        model=found.version.model.name,
        version=sole([one.version.number for one in logged]),  # a repeat tells what the log has
        request_id=current_request().request_id,
        latency_ms=latency_ms,
        predictions=logged,
        engine=sole([one.engine for one in given]),
        instead_of=found.instead_of,
    )


def _answering(version: ModelVersion, by: Actor, *, stand_in: bool) -> Answering:
    try:
        found = answering_for(warmed(version)) if stand_in else Answering(version, plan_for(version))
    except ArtifactCorrupt as error:
        _tell_of_refusal(version, error.detail, by)
        raise
    if found.instead_of is not None:
        _tell_of_refusal(version, f"Its file is damaged; {found.version} answers instead.", by)
    return found


def _tell_of_refusal(version: ModelVersion, detail: str, by: Actor) -> None:
    # One entry an hour tells the tale; a busy client must not flood the trail.
    if cache.add(f"artifact-refused:{version.pk}", 1, REPORT_EVERY_SECONDS):
        with tenant_transaction():
            record(by=by, action="version.artifact_refused", target=version, detail=detail)


def _predictions(
    model: RegisteredModel,
    rows: Sequence[dict[str, Any]],
    given: Sequence[Given],
    entities: Sequence[str],
    *,
    by: Actor,
    latency_ms: float,
    ids: Sequence[UUID | None] | None,
) -> list[Prediction]:
    now, request_id, asked_by = timezone.now(), current_request().request_id, str(by)[:200]
    treat = treater(model_marks(model))
    kept = kept_positions(model, entities, request_id)
    return [
        Prediction(
            id=((ids and ids[position]) or time_ordered_uuid()) if kept[position] else None,
            model=model,
            version=one.version,
            entity_key=entity,
            features=treat.row(row),
            label=one.answer.label or "",
            value=one.answer.value,
            probabilities=one.answer.probabilities,
            engine=one.engine,
            cached=one.cached,
            latency_ms=latency_ms,
            request_id=request_id,
            asked_by=asked_by,
            rollout_id=one.rollout,
            # A microsecond apart: the rows keep their order, and no page boundary falls between equals.
            created_at=now + timedelta(microseconds=position),
        )
        for position, (row, one, entity) in enumerate(zip(rows, given, entities, strict=True))
    ]


def _log(
    predictions: list[Prediction], ids: Sequence[UUID | None] | None, along: Callable[[], None] | None
) -> list[Prediction]:
    """Store those that are kept, and return them all as the log has them."""
    stored = [one for one in predictions if one.pk is not None]  # type: ignore[redundant-expr]  # no id: not kept
    try:
        with tenant_transaction():
            take_room(stored_rows=len(stored))
            Prediction.objects.bulk_create(stored, batch_size=INSERTED_AT_ONCE)
            if along is not None:
                along()
    except IntegrityError:
        known = Prediction.objects.select_related("model", "version").in_bulk([one.pk for one in stored])
        if ids is None or len(known) < len(stored):
            raise
        return [known.get(one.pk, one) for one in predictions]  # the first try had stored them
    return predictions


def _shadow(model: RegisteredModel, rows: Sequence[dict[str, Any]], logged: Sequence[Prediction]) -> None:
    """Leave the logged rows to the versions in shadow, once the log is committed."""
    shadows = shadow_versions(model)
    told = [(one.pk, one.cached, row, one.version) for row, one in zip(rows, logged, strict=True)]
    asked = ask_shadows(shadows, told, logged[0].created_at)
    if asked is not None:
        transaction.on_commit(lambda: QUEUE.put(asked))
