"""Which outcomes count where some are set aside: of each prediction the newest that stands, and no other."""

from typing import Any

from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from feedback.models import Outcome, Quarantine
from feedback.models.outcome import STANDS


def take(case: Quarantine) -> int:
    """Set aside what the sender said of the model since then; return how many outcomes that is.

    Roll-ups take away those that they count, and an earlier outcome that one of them had replaced counts
    again. Call it in the tenant's transaction.
    """
    said = Outcome.objects.filter(model=case.model_id, received_from=case.sender, quarantine=None)
    count = said.filter(received_at__gte=case.since).update(quarantine=case)
    if count:
        recount(case)
        Quarantine.objects.filter(pk=case.pk).update(labels=F("labels") + count)
    return count


def recount(case: Quarantine) -> None:
    """Let of each prediction that the case is about the outcome count that should."""
    newest = (
        Outcome.objects.filter(STANDS, prediction=OuterRef("prediction"))
        .order_by(Coalesce("observed_at", "received_at").desc(), "-pk")
        .values("pk")[:1]
    )
    about = Outcome.objects.filter(quarantine=case).order_by().values("prediction")
    rows = Outcome.objects.filter(prediction__in=about).order_by().annotate(newest=Subquery(newest))
    _set(rows.filter(Q(newest=None) | ~Q(newest=F("pk")), current=True), current=False)
    _set(rows.filter(newest=F("pk"), current=False), current=True)


def _set(rows: "QuerySet[Outcome, Any]", *, current: bool) -> None:
    keys = list(rows.values_list("pk", flat=True))
    if keys:
        Outcome.objects.filter(pk__among=keys).update(current=current)
