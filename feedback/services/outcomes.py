"""Recording what predictions turned out to be."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from feedback.errors import InvalidOutcomes, OutcomesRaced
from feedback.models import Outcome
from feedback.services.history import Settled, new_rows, settle
from feedback.services.matching import chunks
from feedback.services.reported import ModelCheck, Origin, OutcomeItem, OutcomeResult
from feedback.services.verdicts import Understood, understand
from feedback.signals import rollout_outcomes_recorded
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.raw_rows import insert_rows
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from mlplatform.tenancy.services.audit import record
from registry.models import Prediction, RegisteredModel, Rollout
from registry.models.rollout import ACTIVE_ROLLOUTS

__all__ = ["MAX_OUTCOMES", "ModelCheck", "OutcomeItem", "OutcomeResult", "record_outcomes"]
MAX_OUTCOMES = 100_000


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
    it becomes the current outcome and the earlier one is kept as history; one that was observed before the
    current one is kept as history itself. ``check`` is called with each model that the outcomes are for, and
    raises where it may not be given any.

    Raises InvalidOutcomes (an empty or too long report, an unknown prediction, case, model or time, a value
    that is no class of the model or no number, two values for one prediction and time) and OutcomesRaced.
    """
    _refuse_number(len(items))
    origin = Origin(timezone.now(), str(by)[:200], source)
    try:
        with tenant_transaction():
            found = understand(items, origin)
            errors = found.errors
            if errors and not partial:
                told = f"{len(errors)} of {len(items)} outcomes cannot be recorded, so none was."
                raise InvalidOutcomes(f"{told} Correct them and send the report again.", errors=errors)
            if check is not None:
                for model in found.models.values():
                    check(model)
            result = write_reports(found, by=by, source=source)
    except InvalidOutcomes as error:
        _tell_unknown(error.errors, by=by)
        raise
    except IntegrityError as error:
        raise OutcomesRaced(
            "Another request recorded outcomes of the same predictions. Send the report again."
        ) from error
    _tell_unknown(errors, by=by)
    return result


def write_reports(found: Understood, *, by: Actor, source: str) -> OutcomeResult:
    """Store what is new of the reports, and tell of it; call it in the tenant's transaction."""
    settled = settle(found.reports)
    for chunk in chunks(sorted(settled.replaced)):
        Outcome.objects.filter(pk__in=chunk).update(current=False)
    insert_rows(Outcome, new_rows(settled))
    _tell(settled, found.models, source=source, by=by)
    _tell_rollouts({entry.report.model_id for entry in settled.new if entry.report})
    return OutcomeResult(
        len(settled.new), settled.repeated, settled.corrections, settled.outdated, found.errors
    )


def _refuse_number(count: int) -> None:
    if not count:
        raise InvalidOutcomes("The report holds no outcome. Send at least one.")
    if count > MAX_OUTCOMES:
        raise InvalidOutcomes(f"At most {MAX_OUTCOMES:,} outcomes fit in one report; these are {count:,}.")


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


def _tell_unknown(errors: Sequence[Mapping[str, Any]], *, by: Actor) -> None:
    """Record that predictions were named which this tenant does not have: typing errors, or attempts."""
    unknown = [error["prediction_id"] for error in errors if error["code"] == "unknown_prediction"]
    if unknown:
        details = {"unknown": len(unknown), "first": unknown[0]}
        record_attempt(by=by, action="outcomes.refused", target=Prediction, details=details)


def _tell(settled: Settled, models: Mapping[int, RegisteredModel], *, source: str, by: Actor) -> None:
    reports = [entry.report for entry in settled.new if entry.report is not None]
    counts = Counter(report.model_id for report in reports)
    corrected = {(one.asked.id, one.model_id) for one in reports if one.asked.id in settled.corrected}
    corrections = Counter(model_id for _, model_id in corrected)
    for key, count in counts.items():
        record(
            by=by,
            action="outcomes.recorded",
            target=models[key],
            count=count,
            corrections=corrections[key],
            source=source,
        )
