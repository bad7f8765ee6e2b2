"""Realized quality: predictions held against what really happened."""

from dataclasses import dataclass
from datetime import datetime

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.scope import tenant_transaction
from monitoring.counting import quality_of
from monitoring.models import PerformanceSnapshot
from monitoring.services.sums import Sums, sums_of
from monitoring.services.windows import Window, check_window, hour_of
from registry.models import ModelVersion, RegisteredModel


@dataclass(frozen=True)
class Realized:
    """One version's metrics over the ``labelled`` among its ``predictions`` made in [start, end).

    ``intervals`` hold each metric's true value nineteen times in twenty.
    """

    version: ModelVersion
    start: datetime
    end: datetime
    predictions: int
    labelled: int
    metrics: dict[str, float]
    intervals: dict[str, tuple[float, float]]


def realized(
    *,
    model: RegisteredModel,
    since: datetime | None = None,
    until: datetime | None = None,
    sums: Sums | None = None,
) -> Realized | None:
    """Measure the champion over a window, by default that of the checks, and store nothing.

    A window is of whole hours: it begins with the hour of ``since``. ``metrics`` is empty where no outcome is
    known yet. None without a champion; raises InvalidInput for a window that ends before it begins.
    """
    window = check_window(model)
    if window is None:
        return None
    start, end = since or window.start, until or window.end
    if start >= end:
        raise InvalidInput("The window ends before it begins. Let since be earlier than until.")
    return measured_in(Window(window.version, hour_of(since) if since else start, end), sums)


def measure(
    *,
    model: RegisteredModel,
    since: datetime | None = None,
    until: datetime | None = None,
    window: Window | None = None,
    sums: Sums | None = None,
) -> PerformanceSnapshot | None:
    """Measure the champion and store a snapshot; where nothing changed, the last one is returned.

    A check has its ``window`` and ``sums`` already. None without a champion or without a single known
    outcome in the window.
    """
    if window is None:
        found = realized(model=model, since=since, until=until, sums=sums)
    else:
        found = measured_in(window, sums)
    if found is None or not found.labelled:
        return None
    with tenant_transaction():
        last = PerformanceSnapshot.objects.filter(version=found.version).first()
        now = (found.predictions, found.labelled, found.metrics)
        if last is not None and (last.predictions, last.labelled, last.metrics) == now:
            return last
        return PerformanceSnapshot.objects.create(
            model=model,
            version=found.version,
            window_start=found.start,
            window_end=found.end,
            predictions=found.predictions,
            labelled=found.labelled,
            metrics=found.metrics,
            intervals=found.intervals,
        )


def measured_in(window: Window, sums: Sums | None = None) -> Realized:
    """Measure the version over the window, by sums where the caller has them; nothing is stored."""
    sums = sums or sums_of(window)
    found = quality_of(window.version, sums.quality)
    return Realized(
        window.version,
        window.start,
        window.end,
        sums.predictions,
        sums.labelled,
        metrics={name: one.value for name, one in found.items()},
        intervals={
            name: (one.low, one.high)
            for name, one in found.items()
            if one.low is not None and one.high is not None
        },
    )
