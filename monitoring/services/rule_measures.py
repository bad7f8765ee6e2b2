"""What alert rules watch beside drift and quality: calibration, data, and how the model serves.

Each is better when lower. ``at_least`` is what the value is proven to be: chance alone raises it, too, so a
rule that leaves the side to its metric looks at that.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from monitoring.models import AlertRule
from monitoring.models.alert import AlertMetric
from monitoring.services.calibration import calibration_reports
from monitoring.services.data_quality import data_report
from monitoring.services.periods import Period
from monitoring.services.places import WHOLE, Part
from monitoring.services.request_figures import (
    Share,
    errors_in,
    outcomes_of,
    refusals_in,
    requests_between,
)
from monitoring.services.service_figures import VersionService, service_report
from monitoring.services.windows import Window, hour_of
from registry.models import ModelVersion
from registry.problems.agreement import least_share

M = AlertMetric
SHARES = {M.CALIBRATION, M.DATA_QUALITY, M.MISSING_SHARE, M.FALLBACK_SHARE, M.ERROR_RATE, M.REFUSAL_RATE}
JUDGED_BEYOND_CHANCE = SHARES - {M.MISSING_SHARE, M.FALLBACK_SHARE}
WHOLE_ALONE = {M.ERROR_RATE, M.REFUSAL_RATE}  # of requests, which may hold rows of every slice
MOST_COLUMNS = 10
BY_CHANCE_AT_MOST = 2.0  # times the mean of what chance shows; beyond that it hardly ever goes


@dataclass(frozen=True)
class Measured:
    """A value with the rows, or requests, behind it, in words for people."""

    value: float
    at_least: float
    rows: int
    title: str
    words: str
    evidence: dict[str, Any] = field(default_factory=dict)
    window: dict[str, str] = field(default_factory=dict)


def measured_for(rules: Iterable[AlertRule], window: Window) -> dict[int, Measured]:
    """Return what rules watch, by the rule's key, where anything is known; not those of drift and quality."""
    found = {}
    for rule in rules:
        if rule.enabled and rule.metric in MEASURES:
            period = _period(window, rule.window_hours)
            one = MEASURES[rule.metric](window.version, period, part_named(rule.slice))
            if one is not None:
                found[rule.pk] = one
    return found


def part_named(text: str) -> Part:
    """Return the slice that a rule names as column=value; the whole where it names none."""
    column, _, value = text.partition("=")
    return Part(column.strip(), value.strip()) if text else WHOLE


def _period(window: Window, hours: int) -> Period:
    start = hour_of(window.start)
    if hours:
        start = max(start, hour_of(window.end - timedelta(hours=hours)))
    return Period(start, window.end)


def _calibration(version: ModelVersion, period: Period, part: Part) -> Measured | None:
    reports = calibration_reports(model=version.model, period=period, part=part)
    report = next((one for one in reports if one.version.pk == version.pk), None)
    if report is None or report.error is None or report.noise is None:
        return None
    words = (
        f"Probabilities are off by {report.error:.3f} on average over {report.rows:,} outcomes; chance alone "
        f"would show {report.noise:.3f}."
    )
    at_least = max(report.error - BY_CHANCE_AT_MOST * report.noise, 0.0)
    title = f"{version}: probabilities do not keep what they say"
    return Measured(
        report.error, at_least, report.rows, title, words, {"by_chance": report.noise}, _of(period)
    )


def _data_quality(version: ModelVersion, period: Period, part: Part) -> Measured | None:
    report = data_report(model=version.model, period=period, part=part)
    if report is None or report.version.pk != version.pk or not report.columns:
        return None
    worse = {one.column: ", ".join(one.changed) for one in report.columns if one.changed}
    share = len(worse) / len(report.columns)
    named = "; ".join(f"{name}: {how}" for name, how in list(worse.items())[:MOST_COLUMNS])
    words = f"{len(worse)} of {len(report.columns)} features came with worse values beyond chance over "
    words += f"{report.rows:,} rows" + (f" ({named})." if named else ".")
    title = f"{version}: the data became worse"
    evidence = {"columns": sorted(worse)[:MOST_COLUMNS]}
    return Measured(share, share, report.rows, title, words, evidence, _of(period))


def _missing_share(version: ModelVersion, period: Period, part: Part) -> Measured | None:
    report = data_report(model=version.model, period=period, part=part)
    if report is None or report.version.pk != version.pk or not report.columns:
        return None
    most = max(report.columns, key=lambda one: one.missing)
    words = (
        f"{most.column} is missing in {most.missing:.1%} of {most.rows:,} rows; it was in "
        f"{most.missing_before:.1%} of the training data."
    )
    evidence = {"column": most.column, "in_training": most.missing_before}
    title = f"{version}: values are missing"
    return Measured(most.missing, most.missing, most.rows, title, words, evidence, _of(period))


def _served(version: ModelVersion, period: Period, part: Part) -> VersionService | None:
    report = service_report(model=version.model, period=period, part=part)
    return next((one for one in report.versions if one.version.pk == version.pk and one.predictions), None)


def _latency(version: ModelVersion, period: Period, part: Part) -> Measured | None:
    served = _served(version, period, part)
    slow = served.latency.p95_ms if served else None
    if served is None or slow is None:
        return None
    words = f"95 of 100 answers came within {slow:.3g} ms over {served.predictions:,} predictions."
    evidence = {"median_ms": served.latency.p50_ms}
    title = f"{version}: answers are slow"
    return Measured(slow, slow, served.predictions, title, words, evidence, _of(period))


def _fallbacks(version: ModelVersion, period: Period, part: Part) -> Measured | None:
    served = _served(version, period, part)
    if served is None:
        return None
    share = served.fallbacks / served.predictions
    words = (
        f"{share:.1%} of {served.predictions:,} answers were the original pipeline's, where the twin gives "
        "the others."
    )
    title = f"{version}: the twin does not answer"
    return Measured(share, share, served.predictions, title, words, {}, _of(period))


def _errors(version: ModelVersion, period: Period, part: Part) -> Measured | None:
    outcomes = _outcomes(version, period)
    title = f"{version}: requests are not answered"
    return _rate(errors_in(outcomes), title, "were not answered as asked", outcomes, period)


def _refusals(version: ModelVersion, period: Period, part: Part) -> Measured | None:
    outcomes = _outcomes(version, period)
    return _rate(refusals_in(outcomes), f"{version}: requests are refused", "were refused", outcomes, period)


def _outcomes(version: ModelVersion, period: Period) -> dict[str, int]:
    """Return how the requests ended that reached the version, and those that reached none."""
    rows = requests_between(version.model, period.since, period.until)
    return outcomes_of(row for row in rows if row[0] in (0, version.number))


def _rate(share: Share, title: str, what: str, outcomes: dict[str, int], period: Period) -> Measured | None:
    if share.value is None:
        return None
    words = f"{share.count:,} of {share.of:,} requests ({share.value:.1%}) {what}."
    evidence = {"ended": _told(outcomes)}
    at_least = least_share(share.count, share.of)
    return Measured(share.value, at_least, share.of, title, words, evidence, _of(period))


def _told(outcomes: dict[str, int]) -> str:
    return ", ".join(f"{name} {count:,}" for name, count in sorted(outcomes.items()))


def _of(period: Period) -> dict[str, str]:
    return {"from": period.since.isoformat(), "to": period.until.isoformat()}


MEASURES: dict[str, Callable[[ModelVersion, Period, Part], Measured | None]] = {
    M.CALIBRATION: _calibration,
    M.DATA_QUALITY: _data_quality,
    M.MISSING_SHARE: _missing_share,
    M.LATENCY: _latency,
    M.FALLBACK_SHARE: _fallbacks,
    M.ERROR_RATE: _errors,
    M.REFUSAL_RATE: _refusals,
}
