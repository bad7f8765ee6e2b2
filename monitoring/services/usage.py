"""Who asks which model, day by day."""

from collections import Counter
from dataclasses import dataclass
from datetime import date

from mlplatform.tenancy.scope import tenant_transaction
from monitoring.models import Rollup
from monitoring.services.periods import Period
from monitoring.services.rollups import roll_up
from registry.models import RegisteredModel

OTHERS = "others"


@dataclass(frozen=True)
class Use:
    """How many predictions one caller, a person or an API key, asked of one model on one day (UTC)."""

    day: date
    model: str
    caller: str
    predictions: int


def usage_of(*, period: Period, model: RegisteredModel | None = None) -> list[Use]:
    """Return who asked what in the period, the newest day and the most predictions first.

    Of one model, or of all that the one who asks may see. In an hour with more than 50 callers the rarest are
    told together, without a name.
    """
    roll_up()
    rows = Rollup.objects.filter(begins__gte=period.since, begins__lt=period.until, slice_column="")
    if model is not None:
        rows = rows.filter(model=model)
    found: Counter[tuple[date, str, str]] = Counter()
    with tenant_transaction():
        told = ("begins", "model__name", "predictions", "service__asked_by", "service__imported")
        hours = list(rows.order_by().values_list(*told))
    for begins, name, predictions, callers, imported in hours:
        named = callers or {}
        for caller, count in named.items():
            found[begins.date(), name, caller] += count
        # Imported history was not asked here.
        rest = predictions - sum(named.values()) - (imported or 0)
        if rest > 0:
            found[begins.date(), name, OTHERS] += rest
    uses = [Use(day, name, caller, count) for (day, name, caller), count in found.items()]
    return sorted(uses, key=lambda one: (-one.day.toordinal(), -one.predictions, one.model, one.caller))
