"""Reading the log of predictions: what people and systems were told about cases is itself worth guarding."""

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Any
from uuid import UUID

from django.db import connection

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record, wait_for_no_disk
from registry.models import Prediction
from registry.services.serving import find_prediction


def read_prediction(*, pk: UUID, by: Actor) -> Prediction:
    """Return one logged prediction and record who read it; raises PredictionNotFound."""
    with _transaction():
        prediction = find_prediction(pk)
        record(by=by, action="prediction.read", target=prediction)
        wait_for_no_disk()
    return prediction


def record_log_read(*, by: Actor, rows: int, asked: Mapping[str, Any]) -> None:
    """Record that ``rows`` rows of the log were shown, chosen by the filters ``asked``."""
    with _transaction():
        record(by=by, action="predictions.read", target=Prediction, rows=rows, asked=asked)
        wait_for_no_disk()


def _transaction() -> AbstractContextManager[None]:
    # A request on PostgreSQL is in its tenant's transaction: a savepoint would cost five more round trips.
    joins = connection.vendor == "postgresql" and connection.in_atomic_block
    return nullcontext() if joins else tenant_transaction()
