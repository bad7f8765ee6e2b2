"""Recording what predictions turned out to be."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.db import IntegrityError
from django.utils import timezone

from feedback.errors import InvalidOutcomes, OutcomesRaced
from feedback.services.holding import hold
from feedback.services.reported import ModelCheck, Origin, OutcomeItem, OutcomeResult
from feedback.services.verdicts import Understood, understand
from feedback.services.writing import write_reports
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.attempts import record_attempt
from registry.models import Prediction

__all__ = ["MAX_OUTCOMES", "ModelCheck", "OutcomeItem", "OutcomeResult", "record_outcomes"]
MAX_OUTCOMES = 100_000


def record_outcomes(
    *,
    items: Sequence[OutcomeItem],
    source: str,
    by: Actor,
    partial: bool = False,
    check: ModelCheck | None = None,
    hold_unknown: bool = True,
) -> OutcomeResult:
    """Record outcomes, all of them or none; with ``partial``, the good ones, and the result names the others.

    Sending the same outcome again changes nothing. Another value for the same prediction is a correction:
    it becomes the current outcome and the earlier one is kept as history; one that was observed before the
    current one is kept as history itself. ``check`` is called with each model that the outcomes are for, and
    raises where it may not be given any.

    One whose prediction is not known is held until it is, or the tenant's ``outcome_hold_days`` are over;
    the result names it. Without ``hold_unknown`` it is an error.

    Raises InvalidOutcomes (an empty or too long report, an unknown prediction, case, model or time, a value
    that is no class of the model or no number, two values for one prediction and time) and OutcomesRaced.
    """
    _refuse_number(len(items))
    origin = Origin(timezone.now(), str(by)[:200], source)
    try:
        with tenant_transaction():
            found = understand(items, [origin] * len(items))
            waiting = _hold(found, origin, by, hold_unknown)
            errors = found.errors
            if errors and not partial:
                told = f"{len(errors)} of {len(items)} outcomes cannot be recorded, so none was."
                raise InvalidOutcomes(f"{told} Correct them and send the report again.", errors=errors)
            if check is not None:
                for model in found.models.values():
                    check(model)
            result = replace(write_reports(found, by=by, source=source), waiting=waiting)
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


def _hold(found: Understood, origin: Origin, by: Actor, wanted: bool) -> list[dict[str, Any]]:
    if wanted:
        return hold(found, origin, by=by)
    found.refuse_unknown()
    return []


def _tell_unknown(errors: Sequence[Mapping[str, Any]], *, by: Actor) -> None:
    """Record that predictions were named which this tenant does not have: typing errors, or attempts."""
    unknown = [error["prediction_id"] for error in errors if error["code"] == "unknown_prediction"]
    if unknown:
        details = {"unknown": len(unknown), "first": unknown[0]}
        record_attempt(by=by, action="outcomes.refused", target=Prediction, details=details)
