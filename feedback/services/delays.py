"""How long after their predictions outcomes come."""

from dataclasses import dataclass

import numpy as np

from feedback.models import Outcome
from mlplatform.tenancy.scope import tenant_transaction
from registry.models import RegisteredModel

NEWEST = 10_000


@dataclass(frozen=True)
class LabelDelay:
    """The delay of labels in seconds, over the ``count`` newest outcomes: half and nine tenths came within.

    Both are None where no outcome is known.
    """

    count: int
    median_seconds: float | None
    p90_seconds: float | None


def label_delay(model: RegisteredModel) -> LabelDelay:
    """Return the delay over the model's 10,000 newest predictions with an outcome, by their first outcome.

    One query along an index, whatever the history. Who has not been told an outcome yet is not in it: while
    labels are still to come, the true delay is longer.
    """
    rows = Outcome.objects.filter(model=model, delay_seconds__isnull=False).order_by("-received_at", "-pk")
    with tenant_transaction():
        delays = np.array(rows.values_list("delay_seconds", flat=True)[:NEWEST], dtype="float64")
    if not len(delays):
        return LabelDelay(0, None, None)
    median, most = np.quantile(delays, [0.5, 0.9])
    return LabelDelay(len(delays), float(median), float(most))
