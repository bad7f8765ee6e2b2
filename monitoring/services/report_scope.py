"""What every chapter of a report is told, and the words they share."""

from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from django.db.models import QuerySet

from mlplatform.tenancy.models import TenantModel
from monitoring.services.periods import Period
from monitoring.services.report_days import Days
from monitoring.statistics.quality import Estimate
from registry.models import ModelVersion, RegisteredModel
from registry.models.deployment import DeploymentAction
from registry.services.champions import champion_changes

Row = TypeVar("Row", bound=TenantModel)


@dataclass(frozen=True)
class Asked:
    """The days, and the model; None where the report is of the whole tenant.

    ``champion`` is the model's as the days ended. ``trail`` says whether the audit trail may be quoted.
    """

    days: Days
    model: RegisteredModel | None = None
    champion: ModelVersion | None = None
    trail: bool = False

    @property
    def period(self) -> Period:
        """The whole hours of the days."""
        return self.days.period

    def of(self, rows: "QuerySet[Row]", moment: str = "created_at") -> "QuerySet[Row]":
        """Return those of the rows whose ``moment`` lies in the days, of the model where there is one."""
        within = {f"{moment}__gte": self.period.since, f"{moment}__lt": self.period.until}
        found = rows.filter(**within)
        return found if self.model is None else found.filter(model=self.model)


def champion_at(model: RegisteredModel, moment: datetime) -> ModelVersion | None:
    """Return the version that was champion just before the moment, or None."""
    changes = champion_changes(model).filter(created_at__lt=moment)
    last = changes.select_related("version__model").order_by("-created_at", "-pk").first()
    return None if last is None or last.action == DeploymentAction.UNALIAS else last.version


def number(value: float | None) -> str:
    """Return a number as it is read: whole ones with thousands apart, others with four digits."""
    if value is None:
        return "–"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def share(value: float | None) -> str:
    """Return a share in percent."""
    return "–" if value is None else f"{value:.1%}"


def spread(found: Estimate | None) -> str:
    """Return a value with the ends between which the truth lies, 95 times in 100."""
    if found is None:
        return "–"
    if found.low is None or found.high is None:
        return number(found.value)
    return f"{number(found.value)} ({number(found.low)} to {number(found.high)})"


def counted(count: int, one: str, many: str = "") -> str:
    """Return how many there are in words: ``no alert``, ``1 alert``, ``1,200 alerts``."""
    return f"{'no' if count == 0 else f'{count:,}'} {one if count == 1 else many or one + 's'}"
