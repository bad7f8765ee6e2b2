"""How alerts, drift and quality are shown."""

from collections.abc import Mapping
from typing import Any

from django.utils.safestring import SafeString

from mlplatform.admin.parts import Badge, Fragment, Lines, Meter, Section, Table, Tone
from mlplatform.admin.pictures import comparison, line_chart
from mlplatform.admin.render import number
from monitoring.frames import unwatched
from monitoring.models import Alert, DriftReport, DriftResult, PerformanceSnapshot
from monitoring.models.alert import AlertState, Severity
from monitoring.models.policy import DecisionState, RetrainingDecision
from registry.models import ModelVersion, RegisteredModel
from registry.services.sampling import share_words

SEVERITY_TONES: dict[str, Tone] = {Severity.INFO: "info", Severity.WARNING: "warn", Severity.CRITICAL: "bad"}
STATE_TONES: dict[str, Tone] = {
    AlertState.OPEN: "bad",
    AlertState.ACKNOWLEDGED: "warn",
    AlertState.RESOLVED: "muted",
}
DECISION_TONES: dict[str, Tone] = {
    DecisionState.DECLINED: "muted",
    DecisionState.TRAINING: "info",
    DecisionState.PROMOTED: "good",
    DecisionState.PROPOSED: "info",
    DecisionState.ROLLED_BACK: "bad",
    DecisionState.KEPT: "warn",
    DecisionState.FAILED: "bad",
}


def severity_badge(alert: Alert) -> Badge:
    """Return how urgent the alert is."""
    return Badge(Severity(alert.severity).label, SEVERITY_TONES[alert.severity])


def alert_state_badge(alert: Alert) -> Badge:
    """Return where the alert stands."""
    return Badge(AlertState(alert.state).label, STATE_TONES[alert.state])


def decision_badge(decision: RetrainingDecision) -> Badge:
    """Return what came of the decision."""
    return Badge(DecisionState(decision.state).label, DECISION_TONES[decision.state])


def drift_badge(report: DriftReport | None) -> Badge:
    """Return the verdict of a drift report."""
    if report is None:
        return Badge("no verdict", "muted")
    if not report.drifted_features:
        return Badge("stable", "good")
    return Badge(f"{report.drifted_features} of {report.features} drifted", "bad")


def drift_table(report: DriftReport, shown: int | None = None) -> Table:
    """Return each feature's score with a picture of then and now, the highest first."""
    results = sorted(report.results.all(), key=lambda result: -result.score)
    rows = [
        [
            Lines(result.feature, [] if result.feature != "prediction" else ["the model's answers"]),
            Badge("Drifted", "bad") if result.drifted else Badge("Stable", "good"),
            _score_meter(result),
            f"{result.statistic.upper()} {number(result.score)} (limit {number(result.threshold)})",
            drift_picture(report.version, result),
        ]
        for result in results[:shown]
    ]
    left = len(results) - len(rows)
    note = (
        f"{report.rows:,} predictions of {report.version} against its training data; grey then, coloured now."
    )
    personal = unwatched(report.version)
    note += f" Not watched, because personal: {', '.join(personal)}." if personal else ""
    note = f"{note} {share_words(report.model)}".strip()
    return Table(
        "Drift",
        ["Feature", "Verdict", "Score against its limit", "", "Then and now"],
        rows,
        empty="No feature could be compared.",
        note=f"{note} {left} more on the report's page." if left > 0 else note,
    )


def drift_picture(version: ModelVersion, result: DriftResult) -> SafeString | None:
    """Return the feature's histogram in training and in the window."""
    reference = (version.reference or {}).get(result.feature)
    current = (result.current or {}).get("counts")
    if not reference or not current or len(reference["counts"]) != len(current):
        return None
    return comparison(reference["counts"], current, title=f"{result.feature}: training and now")


def quality_chart(model: RegisteredModel, snapshots: list[PerformanceSnapshot]) -> Section:
    """Return the realized primary metric over time; the hold-out's value is a dashed line."""
    metric = model.problem.primary
    points = [one for one in reversed(snapshots) if metric.name in one.metrics]
    if not points:
        return Table(
            "Realized quality", [], [], empty="No outcome is known yet, so quality cannot be measured."
        )
    labels = [
        f"{one.version}: {number(one.metrics[metric.name])} on {one.labelled:,} outcomes, "
        f"{one.created_at:%Y-%m-%d %H:%M} UTC"
        for one in points
    ]
    newest = points[-1]
    expected = newest.version.metrics.get(metric.name)
    picture = line_chart(
        [one.metrics[metric.name] for one in points],
        labels,
        title=f"{metric.title} over time",
        target=expected,
    )
    now = number(newest.metrics[metric.name])
    note = f"{metric.title}: {now} on {newest.labelled:,} outcomes of {newest.version}"
    note += f"; its hold-out promised {number(expected)} (dashed)." if expected is not None else "."
    note = f"{note} {share_words(model)}".strip()
    return Fragment("Realized quality", "admin/parts/picture.html", {"picture": picture}, note=note)


def metric_rows(
    model: RegisteredModel, metrics: Mapping[str, Any], promised: Mapping[str, Any]
) -> list[list[Any]]:
    """Return each metric with its realized and its hold-out value."""
    problem = model.problem
    return [
        [metric.title, metrics[metric.name], promised.get(metric.name)]
        for metric in problem.metrics
        if metric.name in metrics
    ]


def _score_meter(result: DriftResult) -> Meter:
    share = result.score / (2 * result.threshold) if result.threshold else 0.0
    return Meter(share, " ", "bad" if result.drifted else "good")
