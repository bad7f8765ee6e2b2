"""Versions that answer in shadow: asked for the rows that clients asked, off the request's path."""

import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.usage import take_room
from registry.errors import ArtifactCorrupt, CannotPredict
from registry.inference.answers import RowAnswer
from registry.inference.plan import TWIN_ROWS, Plan
from registry.inference.schema import check_rows
from registry.models import Alias, ModelVersion, Prediction, RegisteredModel, ShadowAnswer, ShadowTally
from registry.models.version import VersionStatus
from registry.services.plans import UNNEEDED, plan_for

INSERTED_AT_ONCE = 500
Row = Mapping[str, Any]


class HeardRow(NamedTuple):
    """A row as it was asked, its id in the log, and the version that the client heard."""

    pk: UUID
    row: Row
    heard: ModelVersion


@dataclass(frozen=True)
class Question:
    """Rows of one request for the versions that answer in shadow."""

    tenant: Tenant
    shadows: tuple[ModelVersion, ...]
    rows: Sequence[HeardRow]
    asked_at: datetime


@dataclass(frozen=True)
class Timed:
    """What the shadow and the version that was heard took for one row, in milliseconds."""

    shadow: float
    heard: float


def shadow_versions(model: RegisteredModel) -> tuple[ModelVersion, ...]:
    """Return the ready versions that answer for the model in shadow."""
    if not model.shadow_aliases:
        return ()
    unneeded = [f"version__{name}" for name in UNNEEDED]
    named = Alias.objects.filter(model=model, name__in=model.shadow_aliases)
    aliases = named.select_related("version").defer(*unneeded).order_by("version_id")
    found = {one.version.pk: one.version for one in aliases if one.version.status == VersionStatus.READY}
    for version in found.values():
        version.model = model
    return tuple(found.values())


def ask_shadows(
    shadows: tuple[ModelVersion, ...],
    rows: Iterable[tuple[UUID | None, bool, Row, ModelVersion]],
    asked_at: datetime,
) -> Question | None:
    """Return what the shadows are to be asked; ``rows`` have id, whether remembered, row, who was heard.

    A row that is not logged has nothing to be compared with, and an answer from memory was compared before.
    """
    chosen = [HeardRow(pk, row, heard) for pk, cached, row, heard in rows if pk is not None and not cached]
    if not chosen or not shadows:
        return None
    return Question(current_tenant(), shadows, chosen, asked_at)


def logged_ids(ids: Sequence[UUID]) -> set[UUID]:
    """Return which of the active tenant's rows are in the log by now."""
    found: set[UUID] = set()
    with tenant_transaction():
        for start in range(0, len(ids), INSERTED_AT_ONCE):
            part = ids[start : start + INSERTED_AT_ONCE]
            found |= set(Prediction.objects.filter(pk__in=part).values_list("pk", flat=True))
    return found


def answer_in_shadow(*, version: ModelVersion, questions: Sequence[Question]) -> int:
    """Ask the version for the rows that another one answered, and store what it says; return how many.

    Rows that left the log meanwhile are left out. Raises ArtifactCorrupt, and NoRoom where the tenant may
    store no more rows.
    """
    asked = [(row, one.asked_at) for one in questions for row in one.rows if row.heard.pk != version.pk]
    plan = _alone(version)
    answers = list(_answers(plan, [heard.row for heard, _ in asked]))
    timed = _timed(plan, [heard for heard, _ in asked], answers)
    made = [
        _shadow(version, heard.pk, asked_at, answer, timed.get(place))
        for place, ((heard, asked_at), answer) in enumerate(zip(asked, answers, strict=True))
    ]
    return _store(made)


def count_dropped(*, version: ModelVersion, rows: int, reason: str) -> None:
    """Count rows that the version was not asked for, with the reason."""
    with tenant_transaction():
        ShadowTally.objects.get_or_create(version=version, defaults={"model_id": version.model_id})
        ShadowTally.objects.filter(version=version).update(
            dropped=F("dropped") + rows, reason=reason[:300], updated_at=timezone.now()
        )


def _answers(plan: Plan, rows: Sequence[Row]) -> Iterator[RowAnswer | str]:
    """Yield for each row its answer, or why there is none."""
    known = {column.name for column in plan.columns}
    own = [{name: value for name, value in row.items() if name in known} for row in rows]
    for start in range(0, len(own), TWIN_ROWS):
        part = own[start : start + TWIN_ROWS]
        problems = [_misfit(plan, row) for row in part]
        fitting = [row for row, problem in zip(part, problems, strict=True) if not problem]
        answered = iter(_asked(plan, fitting))
        yield from (problem or next(answered) for problem in problems)


def _misfit(plan: Plan, row: Row) -> str:
    """Return why the row does not fit the version, without its values."""
    errors = check_rows([row], plan.columns)
    return f"{errors[0]['field']}: {errors[0]['code'].replace('_', ' ')}" if errors else ""


def _asked(plan: Plan, rows: Sequence[Row]) -> list[RowAnswer | str]:
    if not rows:
        return []
    try:
        return list(plan.ask(rows).answers)
    except CannotPredict as error:
        if len(rows) == 1:
            return [error.detail]
    return [answer for row in rows for answer in _asked(plan, [row])]


def _timed(plan: Plan, rows: Sequence[HeardRow], answers: Sequence[RowAnswer | str]) -> dict[int, Timed]:
    """Return the times of both versions for the first row that both can answer, one after the other.

    Times of requests would not do: they hold the reading of the body, and whatever else ran then.
    """
    place = next((place for place, answer in enumerate(answers) if isinstance(answer, RowAnswer)), None)
    if place is None:
        return {}
    known, asked = {column.name for column in plan.columns}, rows[place]
    own = {name: value for name, value in asked.row.items() if name in known}
    try:
        before = _milliseconds(_alone(asked.heard), asked.row)
        return {place: Timed(shadow=_milliseconds(plan, own), heard=before)}
    except (ArtifactCorrupt, CannotPredict):
        return {}


def _alone(version: ModelVersion) -> Plan:
    """Return the version's plan, whose calls are shared with no request."""
    return replace(plan_for(version), calls=None)


def _milliseconds(plan: Plan, row: Row) -> float:
    started = time.perf_counter()
    plan.ask([row])
    return (time.perf_counter() - started) * 1000


def _shadow(
    version: ModelVersion, pk: UUID, asked_at: datetime, answer: RowAnswer | str, timed: Timed | None
) -> ShadowAnswer:
    made = ShadowAnswer(
        prediction_id=pk,
        model_id=version.model_id,
        version=version,
        asked_at=asked_at,
        latency_ms=None if timed is None else timed.shadow,
        champion_ms=None if timed is None else timed.heard,
    )
    if isinstance(answer, str):
        made.failure = answer[:300]
    else:
        made.label, made.value, made.probabilities = answer.label or "", answer.value, answer.probabilities
    return made


def _store(made: Sequence[ShadowAnswer]) -> int:
    stored = 0
    for start in range(0, len(made), INSERTED_AT_ONCE):
        part = made[start : start + INSERTED_AT_ONCE]
        with tenant_transaction():
            rows = _not_yet([one.prediction_id for one in part], part[0].version)
            fresh = [one for one in part if one.prediction_id in rows]
            take_room(stored_rows=len(fresh))
            ShadowAnswer.objects.bulk_create(fresh)
        stored += len(fresh)
    return stored


def _not_yet(ids: Collection[UUID], version: ModelVersion) -> set[UUID]:
    """Return the logged rows, held until the transaction ends, that the version has not answered yet."""
    held = Prediction.objects.select_for_update(no_key=True).filter(pk__in=ids)
    answered = ShadowAnswer.objects.filter(prediction__in=ids, version=version)
    return set(held.values_list("pk", flat=True)) - set(answered.values_list("prediction_id", flat=True))
