"""How alerts and quality are shown."""

from collections.abc import Mapping
from typing import Any

from mlplatform.admin.parts import Badge, Fragment, Section, Table, Tone
from mlplatform.admin.pictures import line_chart
from mlplatform.admin.render import number
from monitoring.models import Alert, Delivery, PerformanceSnapshot
from monitoring.models.alert import AlertState, Severity
from monitoring.models.delivery import DeliveryState
from monitoring.models.policy import DecisionState, RetrainingDecision
from registry.models import RegisteredModel
from registry.services.sampling import share_words

SEVERITY_TONES: dict[str, Tone] = {Severity.INFO: "info", Severity.WARNING: "warn", Severity.CRITICAL: "bad"}
STATE_TONES: dict[str, Tone] = {
    AlertState.OPEN: "bad",
    AlertState.ACKNOWLEDGED: "warn",
    AlertState.RESOLVED: "muted",
}
DELIVERY_TONES: dict[str, Tone] = {
    DeliveryState.WAITING: "info",
    DeliveryState.SENT: "good",
    DeliveryState.DEAD: "bad",
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
    if alert.is_snoozed and alert.state != AlertState.RESOLVED:
        return Badge("Snoozed", "muted")
    return Badge(AlertState(alert.state).label, STATE_TONES[alert.state])


def delivery_badge(delivery: Delivery) -> Badge:
    """Return how far a message is."""
    return Badge(DeliveryState(delivery.state).label, DELIVERY_TONES[delivery.state])


def decision_badge(decision: RetrainingDecision) -> Badge:
    """Return what came of the decision."""
    return Badge(DecisionState(decision.state).label, DECISION_TONES[decision.state])


def quality_chart(model: RegisteredModel, snapshots: list[PerformanceSnapshot]) -> Section:
    """Return the realized primary metric over time; the hold-out's value is a dashed line."""
    metric = model.problem.primary
    points = [one for one in reversed(snapshots) if metric.name in one.metrics]
    if not points:
        return Table("Realized quality", [], [], empty="No check has measured it yet. That takes outcomes.")
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
