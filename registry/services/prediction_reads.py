"""Reading the log of predictions: what people and systems were told about cases is itself worth guarding."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from django.db import connection

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record, wait_for_no_disk
from registry.errors import PredictionNotFound
from registry.models import Prediction, RegisteredModel
from registry.services.pseudonyms import entity_pseudonym
from registry.services.serving import find_prediction

# What may hold the client's own name for a case: the filter, and what is typed into the console's search.
NAMES_CASES = frozenset({"entity_key", "q"})


def read_prediction(*, pk: UUID, by: Actor, model: RegisteredModel | None = None) -> Prediction:
    """Return one logged prediction and record who read it.

    Raises PredictionNotFound, also for another model's prediction where ``model`` is named: nothing is shown
    then, so nothing is recorded.
    """
    with _transaction():
        prediction = find_prediction(pk)
        if model is not None and prediction.model_id != model.pk:
            raise PredictionNotFound(f"There is no prediction {pk} of {model.name}.")
        record(by=by, action="prediction.read", target=prediction)
        wait_for_no_disk()
    return prediction


def record_log_read(*, by: Actor, rows: int, asked: Mapping[str, Any]) -> None:
    """Record that ``rows`` rows of the log were shown, chosen by ``asked``; cases by their pseudonyms."""
    asked = {
        name: entity_pseudonym(str(value)) if name in NAMES_CASES else value for name, value in asked.items()
    }
    with _transaction():
        record(by=by, action="predictions.read", target=Prediction, rows=rows, asked=asked)
        wait_for_no_disk()


def _transaction() -> AbstractContextManager[None]:
    # A request on PostgreSQL is in its tenant's transaction: a savepoint would cost five more round trips.
    joins = connection.vendor == "postgresql" and connection.in_atomic_block
    return nullcontext() if joins else tenant_transaction()
