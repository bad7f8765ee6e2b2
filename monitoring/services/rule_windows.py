"""What rules find that look at hours of their own, fewer than the check's: from roll-ups, not stored."""

from collections.abc import Iterable
from datetime import timedelta

from monitoring.models import AlertRule, DriftReport, DriftResult, PerformanceSnapshot
from monitoring.services.drift import judge_window
from monitoring.services.drift_measures import column_findings
from monitoring.services.drift_settings import drift_settings_of
from monitoring.services.performance import realized
from monitoring.services.rollups import Sums, sums_between
from monitoring.services.verdicts import Findings
from monitoring.services.windows import Window, hour_of
from registry.models import RegisteredModel


def own_windows(model: RegisteredModel, rules: Iterable[AlertRule], window: Window) -> dict[int, Findings]:
    """Return the findings over the last hours that the rules name, by how many hours."""
    wanted = {rule.window_hours for rule in rules if rule.enabled and rule.window_hours}
    return {hours: _found_in(model, window, hours) for hours in sorted(wanted)}


def _found_in(model: RegisteredModel, window: Window, hours: int) -> Findings:
    """Return what the champion met in the last ``hours``, in whole hours, or since it was deployed."""
    start = max(window.start, hour_of(window.end - timedelta(hours=hours)))
    narrow = Window(window.version, start, window.end)
    sums = sums_between(narrow.version, narrow.start, narrow.end)
    drift, results = _drift(model, narrow, sums)
    return Findings(drift, _performance(model, narrow, sums), results)


def _drift(
    model: RegisteredModel, window: Window, sums: Sums
) -> tuple[DriftReport | None, list[DriftResult] | None]:
    """Judge the hours by the model's drift settings; a look at hours has no earlier alarm that stands."""
    if not sums.predictions:
        return None, None
    chosen, found = drift_settings_of(model), column_findings(window, sums)
    judged = judge_window(window, sums.predictions, chosen, found, False)
    return (None, None) if judged is None else judged


def _performance(model: RegisteredModel, window: Window, sums: Sums) -> PerformanceSnapshot | None:
    found = realized(model=model, since=window.start, until=window.end, sums=sums)
    if found is None or not found.labelled:
        return None
    return PerformanceSnapshot(
        model=model,
        version=found.version,
        window_start=found.start,
        window_end=found.end,
        predictions=found.predictions,
        labelled=found.labelled,
        metrics=found.metrics,
        intervals={name: list(ends) for name, ends in found.intervals.items()},
    )
