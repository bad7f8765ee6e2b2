"""What a rule says of a report: has its threshold been crossed, and with what evidence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from monitoring.models import AlertRule, DriftReport, DriftResult, PerformanceSnapshot
from monitoring.models.alert import AlertMetric, Comparison
from monitoring.services.concept import ConceptReport, ErrorRise
from monitoring.services.concept_words import rise_in_words
from monitoring.services.drift_words import rule_in_words
from monitoring.services.rule_measures import Measured

MOST_FEATURES, MOST_PICTURES, MOST_POINTS = 10, 3, 20


@dataclass(frozen=True)
class Findings:
    """The newest reports on one version; None where there is no verdict.

    ``results`` are the columns of a drift report that is not stored. ``windows`` holds findings over the last
    so many hours, ``slices`` those of a part of the cases, by its name as rules have it. ``measured`` is what
    rules on other metrics asked for, by the rule's key. ``errors`` tells of the version's errors, and
    ``since`` when they are looked at; None of a slice.
    """

    drift: DriftReport | None
    performance: PerformanceSnapshot | None
    results: Sequence[DriftResult] | None = None
    windows: Mapping[int, "Findings"] = field(default_factory=dict)
    slices: Mapping[str, "Findings"] = field(default_factory=dict)
    measured: Mapping[int, Measured] = field(default_factory=dict)
    errors: ConceptReport | None = None
    since: datetime | None = None

    def narrowed(self, hours: int, part: str) -> "Findings | None":
        """Return what was found in these last hours (0: all) of this part; None where nothing."""
        within = self.windows.get(hours) if hours else self
        return within.slices.get(part) if within is not None and part else within

    @property
    def worst(self) -> list[DriftResult]:
        """The drifted columns, the worst first."""
        if self.results is not None:
            return sorted(
                (one for one in self.results if one.drifted), key=lambda one: (-one.cost, -one.score)
            )
        drifted = self.drift.results.filter(drifted=True) if self.drift else None
        return [] if drifted is None else list(drifted.order_by("-cost", "-score"))


@dataclass(frozen=True)
class Verdict:
    """Whether a rule's condition holds, in words for people, with the figures behind it."""

    crossed: bool
    title: str
    message: str
    evidence: dict[str, Any]


def verdict_of(rule: AlertRule, findings: Findings) -> Verdict | None:
    """Judge the findings by the rule; None where there are too few rows or no report to judge."""
    if rule.metric not in JUDGES:
        return _measured(rule, findings.measured.get(rule.pk))
    narrowed = findings.narrowed(rule.window_hours, rule.slice)
    return None if narrowed is None else JUDGES[rule.metric](rule, narrowed)


def crosses(rule: AlertRule, value: float, *, worse: bool) -> bool:
    """Tell whether the value is too much; ``worse`` says it for a rule that leaves the side to its metric."""
    if rule.comparison == Comparison.ABOVE:
        return value >= rule.threshold
    if rule.comparison == Comparison.BELOW:
        return value <= rule.threshold
    return worse


def window_of(report: DriftReport | PerformanceSnapshot) -> dict[str, str]:
    """Return the report's window as evidence holds it."""
    return {"from": report.window_start.isoformat(), "to": report.window_end.isoformat()}


def _drift(rule: AlertRule, findings: Findings) -> Verdict | None:
    report = findings.drift
    if report is None or report.rows < rule.minimum_rows or not report.features:
        return None
    share = report.drifted_features / report.features
    worst = findings.worst[:MOST_FEATURES]
    named = ", ".join(f"{result.feature} (PSI {result.score:.2f})" for result in worst[:3])
    limit = f"; the rule's limit is {rule.threshold:.0%}" if rule.threshold else ""
    message = (
        f"{report.drifted_features} of {report.features} features ({share:.0%}) have drifted over "
        f"{report.rows:,} predictions{limit}. {rule_in_words(report)}"
    )
    crossed = report.alarm and crosses(rule, share, worse=share >= rule.threshold)
    if rule.comparison != Comparison.WORSE:  # then the share alone decides
        crossed = crosses(rule, share, worse=False)
    evidence = {
        "report": report.pk,
        "share": share,
        "threshold": rule.threshold,
        "judged_by": report.terms,
        "rows": report.rows,
        "window": window_of(report),
        "features": [
            {"feature": result.feature, "score": result.score, "threshold": result.threshold}
            for result in worst
        ],
        "pictures": _histograms(report, worst[:MOST_PICTURES]) if crossed else [],
    }
    title = f"{report.version}: inputs have drifted"
    words = f"{message} Most: {named}." if named else message
    return Verdict(crossed, title, words, evidence)


def _histograms(report: DriftReport, worst: Sequence[DriftResult]) -> list[dict[str, Any]]:
    """Return then and now as counts, so that the picture stays true when reports and references are gone."""
    found = []
    for result in worst:
        then, now = result.reference.get("counts"), (result.current or {}).get("counts")
        if then and now and len(then) == len(now):
            found.append({"feature": result.feature, "then": list(then), "now": list(now)})
    return found


def _performance(rule: AlertRule, findings: Findings) -> Verdict | None:
    snapshot = findings.performance
    if snapshot is None or snapshot.labelled < rule.minimum_rows:
        return None
    primary = snapshot.model.problem.primary
    value = snapshot.metrics.get(primary.name)
    if value is None:
        return None
    holdout = snapshot.version.metrics.get(primary.name)
    was = f"; it was {holdout:.3f} on the hold-out" if holdout is not None else ""
    message = (
        f"{primary.title} is {value:.3f} over {snapshot.labelled:,} outcomes{was}. "
        f"The rule's limit is {rule.threshold:.3f}."
    )
    crossed = crosses(rule, value, worse=primary.is_better(rule.threshold, value))
    evidence = {
        "snapshot": snapshot.pk,
        "metric": primary.name,
        "value": value,
        "interval": snapshot.intervals.get(primary.name),
        "holdout": holdout,
        "threshold": rule.threshold,
        "labelled": snapshot.labelled,
        "window": window_of(snapshot),
        "history": _history(snapshot, primary.name) if crossed else [],
    }
    return Verdict(crossed, f"{snapshot.version}: quality has dropped", message, evidence)


def _measured(rule: AlertRule, found: Measured | None) -> Verdict | None:
    if found is None or found.rows < rule.minimum_rows:
        return None
    evidence = {
        "value": found.value,
        "at_least": found.at_least,
        "threshold": rule.threshold,
        "rows": found.rows,
        "window": found.window,
        **found.evidence,
    }
    message = f"{found.words} The rule's limit is {rule.threshold:g}."
    crossed = crosses(rule, found.value, worse=found.at_least > rule.threshold)
    return Verdict(crossed, found.title, message, evidence)


def _concept(rule: AlertRule, findings: Findings) -> Verdict | None:
    found = findings.errors
    if found is None or found.rows < rule.minimum_rows:
        return None
    rises = [one for one in found.rises if findings.since is None or one.at >= findings.since]
    told = (
        rise_in_words(found, rises[-1]) if rises else f"No rise of the errors over {found.rows:,} outcomes."
    )
    crossed = crosses(rule, len(rises), worse=len(rises) >= max(1, rule.threshold))
    evidence = {
        "rises": [_rise(one) for one in rises],
        "outcomes": found.rows,
        "error": found.error,
        "evidence": found.evidence,
        "threshold": rule.threshold,
        "history": [{"at": at.isoformat(), "value": value} for at, _, value in found.course[-MOST_POINTS:]]
        if crossed
        else [],
    }
    return Verdict(crossed, f"{found.version}: its errors have risen", told, evidence)


def _rise(rise: ErrorRise) -> dict[str, Any]:
    return {"at": rise.at.isoformat(), "before": rise.before, "since": rise.since, "outcomes": rise.rows}


def _history(snapshot: PerformanceSnapshot, metric: str) -> list[dict[str, Any]]:
    """Return how the metric went in the version's last snapshots, oldest first."""
    past = PerformanceSnapshot.objects.filter(version=snapshot.version_id).order_by("-created_at", "-pk")
    rows = list(past.values_list("created_at", "metrics")[:MOST_POINTS])
    return [
        {"at": at.isoformat(), "value": metrics[metric]}
        for at, metrics in reversed(rows)
        if metric in metrics
    ]


JUDGES: dict[str, Callable[[AlertRule, Findings], Verdict | None]] = {
    AlertMetric.CONCEPT_DRIFT: _concept,
    AlertMetric.DRIFT_SHARE: _drift,
    AlertMetric.PERFORMANCE: _performance,
}
