"""What rules look at beyond the check's own window: fewer hours, a slice; from roll-ups, not stored."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from monitoring.models import AlertRule, DriftReport, DriftResult, PerformanceSnapshot
from monitoring.services.concept import concept_reports
from monitoring.services.drift import judge_window
from monitoring.services.drift_measures import column_findings
from monitoring.services.drift_settings import drift_settings_of
from monitoring.services.performance import measured_in
from monitoring.services.places import WHOLE, Part
from monitoring.services.rule_measures import Measured, part_named
from monitoring.services.sums import Sums, sums_between
from monitoring.services.verdicts import Findings
from monitoring.services.windows import Window, hour_of


@dataclass(frozen=True)
class Looked:
    """What the check itself has found in its window."""

    window: Window
    drift: DriftReport | None
    performance: PerformanceSnapshot | None


def findings_for(rules: Iterable[AlertRule], looked: Looked, measured: Mapping[int, Measured]) -> Findings:
    """Return what the check has found, with the hours and the slices that the rules name.

    Nothing is read that no rule asks for, so what it costs is bounded by the rules.
    """
    asked = [rule for rule in rules if rule.enabled]
    errors = concept_reports([looked.window.version]).get(looked.window.version.pk)
    windows = {}
    for hours in sorted({rule.window_hours for rule in asked if rule.window_hours}):
        narrow, names = _narrow(looked.window, hours), _slices(asked, hours)
        drift, performance, results = found_in(narrow)
        windows[hours] = Findings(
            drift, performance, results, slices=_sliced(narrow, names), errors=errors, since=narrow.start
        )
    return Findings(
        looked.drift,
        looked.performance,
        windows=windows,
        slices=_sliced(looked.window, _slices(asked, 0)),
        measured=measured,
        errors=errors,
        since=looked.window.start,
    )


def _narrow(window: Window, hours: int) -> Window:
    """Return the last ``hours``, in whole hours, or the time since the champion was deployed if shorter."""
    start = max(window.start, hour_of(window.end - timedelta(hours=hours)))
    return Window(window.version, start, window.end)


def _slices(rules: Sequence[AlertRule], hours: int) -> list[str]:
    return sorted({rule.slice for rule in rules if rule.slice and rule.window_hours == hours})


def _sliced(window: Window, names: Iterable[str]) -> dict[str, Findings]:
    return {name: Findings(*found_in(window, part_named(name))) for name in names}


def found_in(
    window: Window, part: Part = WHOLE
) -> tuple[DriftReport | None, PerformanceSnapshot | None, list[DriftResult] | None]:
    """Return what the champion met in the window, of a slice or of the whole; None where nothing."""
    sums = sums_between(window.version, window.start, window.end, part)
    drift, results = drift_in(window, sums, part)
    return drift, _performance(window, sums), results


def drift_in(
    window: Window, sums: Sums, part: Part = WHOLE
) -> tuple[DriftReport | None, list[DriftResult] | None]:
    """Judge the sums by the model's drift settings, without an earlier alarm that stands; nothing is stored.

    A slice is held against its own training rows.
    """
    if not sums.predictions:
        return None, None
    chosen, found = drift_settings_of(window.version.model), column_findings(window, sums, part)
    judged = judge_window(window, sums.predictions, chosen, found, False)
    return (None, None) if judged is None else judged


def _performance(window: Window, sums: Sums) -> PerformanceSnapshot | None:
    found = measured_in(window, sums)
    if not found.labelled:
        return None
    return PerformanceSnapshot(
        model=window.version.model,
        version=found.version,
        window_start=found.start,
        window_end=found.end,
        predictions=found.predictions,
        labelled=found.labelled,
        metrics=found.metrics,
        intervals={name: list(ends) for name, ends in found.intervals.items()},
    )
