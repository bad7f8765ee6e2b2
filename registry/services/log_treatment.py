"""Treating what was logged before a column was marked."""

from collections.abc import Callable
from uuid import UUID

from mlplatform.tenancy.pacing import break_after
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import Prediction, RegisteredModel
from registry.privacy.treatment import Treater
from registry.services.personal import model_marks
from registry.services.pseudonyms import entity_pseudonyms, treater

AT_ONCE = 200
FIRST = UUID(int=0)


def treat_predictions(*, model: RegisteredModel, on_progress: Callable[[int], None] | None = None) -> int:
    """Treat the model's logged rows by the marks in force, and the names of cases; return how many changed.

    Two hundred rows to a transaction, so that nobody waits for the whole log. It can be broken off and
    called again; ``on_progress`` is told how many rows were looked at.
    """
    last, seen, treated = FIRST, 0, 0
    while True:
        with break_after(), tenant_transaction():
            model.refresh_from_db(fields=["personal"])
            treat = treater(model_marks(model))
            rows = Prediction.objects.filter(model=model, pk__gt=last).order_by("pk")
            batch = list(rows.only("features", "entity_key")[:AT_ONCE])
            entities = entity_pseudonyms([row.entity_key for row in batch])
            changed = [row for row, entity in zip(batch, entities, strict=True) if _treat(row, treat, entity)]
            Prediction.objects.bulk_update(changed, ["features", "entity_key"], batch_size=100)
        if not batch:
            return treated
        last, seen, treated = batch[-1].pk, seen + len(batch), treated + len(changed)
        if on_progress is not None:
            on_progress(seen)


def _treat(row: Prediction, treat: Treater, entity: str) -> bool:
    """Treat the row and tell whether that changed it."""
    features = treat.row(row.features)
    differs = (features, entity) != (row.features, row.entity_key)
    row.features, row.entity_key = features, entity
    return differs
