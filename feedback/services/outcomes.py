"""Recording what predictions turned out to be."""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from django.db import IntegrityError, transaction
from django.utils import timezone

from feedback.errors import InvalidOutcomes, OutcomesRaced
from feedback.models import Outcome
from feedback.services.verdicts import Verdict, parse_items
from feedback.signals import rollout_outcomes_recorded
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import record
from registry.models import Prediction, RegisteredModel, Rollout
from registry.models.rollout import ACTIVE_ROLLOUTS

MAX_OUTCOMES = 10_000
K = TypeVar("K")
ModelCheck = Callable[[RegisteredModel], object]


@dataclass(frozen=True)
class OutcomeItem:
    """One reported outcome: the prediction's id and what it turned out to be, a class or a number."""

    prediction_id: str | uuid.UUID
    value: object


@dataclass(frozen=True)
class OutcomeResult:
    """What came of a report.

    ``accepted`` counts new outcomes and corrections, ``corrected`` those among them that replaced another
    value, ``repeated`` those that said what was known already. ``errors`` holds index, prediction_id, code
    and message of each item that was left out; it is empty unless a partial recording was asked for.
    """

    accepted: int = 0
    repeated: int = 0
    corrected: int = 0
    errors: list[dict[str, Any]] = field(default_factory=list)


def record_outcomes(
    *,
    items: Sequence[OutcomeItem],
    source: str,
    by: Actor,
    partial: bool = False,
    check: ModelCheck | None = None,
) -> OutcomeResult:
    """Record outcomes, all of them or none; with ``partial``, the good ones, and the result names the others.

    Sending the same outcome again changes nothing. Another value for the same prediction is a correction:
    it becomes the current outcome and the earlier one is kept as history. ``check`` is called with each model
    that the outcomes are for, and raises where it may not be given any.

    Raises InvalidOutcomes (an empty or too long report, an unknown prediction, a value that is no class of
    the model or no number, two values for one prediction) and OutcomesRaced.
    """
    _refuse_number(len(items))
    try:
        with tenant_transaction():
            verdicts, errors = parse_items([(item.prediction_id, item.value) for item in items])
            if errors and not partial:
                told = f"{len(errors)} of {len(items)} outcomes cannot be recorded, so none was."
                raise InvalidOutcomes(f"{told} Correct them and send the report again.", errors=errors)
            if check is not None:
                for model in {verdict.model for verdict in verdicts.values()}:
                    check(model)
            result = _write(verdicts, errors, repeated=len(items) - len(errors), source=source, by=by)
    except InvalidOutcomes as error:
        _tell_unknown(error.errors, by=by)
        raise
    except IntegrityError as error:
        raise OutcomesRaced(
            "Another request recorded outcomes of the same predictions. Send the report again."
        ) from error
    _tell_unknown(errors, by=by)
    return result


def _refuse_number(count: int) -> None:
    if not count:
        raise InvalidOutcomes("The report holds no outcome. Send at least one.")
    if count > MAX_OUTCOMES:
        raise InvalidOutcomes(f"At most {MAX_OUTCOMES:,} outcomes fit in one report; these are {count:,}.")


def _write(
    verdicts: dict[uuid.UUID, Verdict], errors: list[dict[str, Any]], *, repeated: int, source: str, by: Actor
) -> OutcomeResult:
    known = {row.prediction_id: row for row in _current(list(verdicts))}
    new = {key: verdict for key, verdict in verdicts.items() if not verdict.says(known.get(key))}
    replaced = [known[key].pk for key in new if key in known]
    for chunk in _chunks(replaced):
        Outcome.objects.filter(pk__in=chunk).update(current=False)
    now = timezone.now()
    rows = [
        Outcome(
            prediction_id=key,
            model=verdict.model,
            label=verdict.label,
            value=verdict.value,
            source=source,
            received_at=now,
            received_from=str(by)[:200],
        )
        for key, verdict in new.items()
    ]
    Outcome.objects.bulk_create(rows, batch_size=500)
    _tell(rows, corrected={known[key].prediction_id for key in new if key in known}, source=source, by=by)
    _tell_rollouts({row.model.pk for row in rows})
    return OutcomeResult(len(rows), repeated - len(rows), len(replaced), errors)


def _tell_rollouts(models: set[int]) -> None:
    """Tell of outcomes that may decide a rollout, once they are committed."""
    for rollout in Rollout.objects.filter(model__in=models, state__in=ACTIVE_ROLLOUTS).only("tenant_id"):
        transaction.on_commit(
            partial(
                rollout_outcomes_recorded.send_robust,  # a lost notice is harmless: a sweep weighs it, too
                sender=Outcome,
                tenant_id=rollout.tenant_id,
                rollout_id=rollout.pk,
            )
        )


def _current(keys: list[uuid.UUID]) -> Iterator[Outcome]:
    for chunk in _chunks(keys):
        yield from Outcome.objects.filter(prediction_id__in=chunk, current=True)


def _chunks(values: list[K]) -> Iterator[list[K]]:
    # Older builds of SQLite take at most 999 values in a query.
    for start in range(0, len(values), 500):
        yield values[start : start + 500]


def _tell_unknown(errors: Sequence[Mapping[str, Any]], *, by: Actor) -> None:
    """Record that predictions were named which this tenant does not have: typing errors, or attempts."""
    unknown = [error["prediction_id"] for error in errors if error["code"] == "unknown_prediction"]
    if unknown:
        details = {"unknown": len(unknown), "first": unknown[0]}
        record_attempt(by=by, action="outcomes.refused", target=Prediction, details=details)


def _tell(rows: list[Outcome], *, corrected: set[uuid.UUID], source: str, by: Actor) -> None:
    models = {row.model.pk: row.model for row in rows}
    counts = Counter(row.model.pk for row in rows)
    corrections = Counter(row.model.pk for row in rows if row.prediction_id in corrected)
    for key, model in models.items():
        record(
            by=by,
            action="outcomes.recorded",
            target=model,
            count=counts[key],
            corrections=corrections[key],
            source=source,
        )
