"""Applying marks of personal columns to what is stored already: the log and what checks found in it."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.models import DriftResult
from registry.models import RegisteredModel
from registry.privacy.treatment import Treater
from registry.services.log_treatment import treat_predictions
from registry.services.personal import model_marks
from registry.services.pseudonyms import treater

AT_ONCE = 1_000


@dataclass(frozen=True)
class Treated:
    """How many logged predictions and drift results held more than the marks allow."""

    predictions: int
    drift_results: int


def treat_log(
    *, model: RegisteredModel, by: Actor, on_progress: Callable[[int], None] | None = None
) -> Treated:
    """Treat the model's log and its drift results by the marks in force, in small transactions.

    What was treated stays as it is, so a run that was broken off is made good by the next.
    """
    predictions = treat_predictions(model=model, on_progress=on_progress)
    treated = Treated(predictions, _treat_results(model))
    with tenant_transaction():
        told: dict[str, Any] = {"personal": model.personal, **asdict(treated)}
        record(by=by, action="model.log_treated", target=model, **told)
    return treated


def _treat_results(model: RegisteredModel) -> int:
    last, treated = 0, 0
    with tenant_transaction():
        treat = treater(model_marks(model))
    while True:
        with tenant_transaction():
            rows = DriftResult.objects.filter(report__model=model, feature__in=treat.marks, pk__gt=last)
            batch = list(rows.order_by("pk")[:AT_ONCE])
            changed = [row for row in batch if _treated(row, treat)]
            DriftResult.objects.bulk_update(changed, ["current", "appeared", "vanished"], batch_size=100)
        if not batch:
            return treated
        last, treated = batch[-1].pk, treated + len(changed)


def _treated(row: DriftResult, treat: Treater) -> bool:
    current = treat.histogram(row.feature, row.current) if row.current else {}
    differs = bool(row.current != (current or {}) or row.appeared or row.vanished)
    row.current, row.appeared, row.vanished = current or {}, [], []
    return differs
