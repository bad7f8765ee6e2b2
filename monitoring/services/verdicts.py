"""What a rule says of a report: has its threshold been crossed, and with what evidence."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from monitoring.models import AlertRule, DriftReport, PerformanceSnapshot
from monitoring.models.alert import AlertMetric
from monitoring.services.drift_words import rule_in_words


@dataclass(frozen=True)
class Findings:
    """The newest reports on one version; None where there is no verdict."""

    drift: DriftReport | None
    performance: PerformanceSnapshot | None


@dataclass(frozen=True)
class Verdict:
    """Whether a rule's condition holds, in words for people, with the figures behind it."""

    crossed: bool
    title: str
    message: str
    evidence: dict[str, Any]


def verdict_of(rule: AlertRule, findings: Findings) -> Verdict | None:
    """Judge the findings by the rule; None where there are too few rows or no report to judge."""
    return JUDGES[rule.metric](rule, findings)


def _drift(rule: AlertRule, findings: Findings) -> Verdict | None:
    report = findings.drift
    if report is None or report.rows < rule.minimum_rows or not report.features:
        return None
    share = report.drifted_features / report.features
    worst = list(report.results.filter(drifted=True).order_by("-cost", "-score")[:10])
    named = ", ".join(f"{result.feature} (PSI {result.score:.2f})" for result in worst[:3])
    limit = f"; the rule's limit is {rule.threshold:.0%}" if rule.threshold else ""
    message = (
        f"{report.drifted_features} of {report.features} features ({share:.0%}) have drifted over "
        f"{report.rows:,} predictions{limit}. {rule_in_words(report)}"
    )
    evidence = {
        "report": report.pk,
        "share": share,
        "threshold": rule.threshold,
        "judged_by": report.terms,
        "rows": report.rows,
        "features": [
            {"feature": result.feature, "score": result.score, "threshold": result.threshold}
            for result in worst
        ],
    }
    title = f"{report.version}: inputs have drifted"
    return Verdict(
        report.alarm and share >= rule.threshold,
        title,
        f"{message} Most: {named}." if named else message,
        evidence,
    )


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
    evidence = {
        "snapshot": snapshot.pk,
        "metric": primary.name,
        "value": value,
        "holdout": holdout,
        "threshold": rule.threshold,
        "labelled": snapshot.labelled,
    }
    crossed = primary.is_better(rule.threshold, value)
    return Verdict(crossed, f"{snapshot.version}: quality has dropped", message, evidence)


JUDGES: dict[str, Callable[[AlertRule, Findings], Verdict | None]] = {
    AlertMetric.DRIFT_SHARE: _drift,
    AlertMetric.PERFORMANCE: _performance,
}
