"""One check of a model: quality, drift, alerts, and whether to retrain."""

from dataclasses import dataclass, field

from mlplatform.tenancy.actors import Actor, ActorKind
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.errors import NothingDeployed
from monitoring.frames import unwatched
from monitoring.models import Alert, AlertRule, DriftReport, PerformanceSnapshot, RetrainingDecision
from monitoring.models.alert import AlertMetric
from monitoring.services.alerts import AlertChanges, evaluate
from monitoring.services.drift import MINIMUM_ROWS, check_drift
from monitoring.services.performance import measure
from monitoring.services.retraining import decide
from monitoring.services.rule_measures import measured_for
from monitoring.services.rule_windows import Looked, findings_for
from monitoring.services.rules import ensure_rules
from monitoring.services.sums import sums_of
from monitoring.services.windows import check_window
from registry.models import ModelVersion, RegisteredModel
from registry.services.sampling import share_words


@dataclass
class CheckResult:
    """What a check found and did. ``notes`` say it in words, also where there is no verdict, and why."""

    model: RegisteredModel
    version: ModelVersion
    performance: PerformanceSnapshot | None
    drift: DriftReport | None
    alerts: AlertChanges
    decision: RetrainingDecision | None
    notes: list[str] = field(default_factory=list)

    @property
    def raised(self) -> list[Alert]:
        """The alerts that are new."""
        return self.alerts.raised


def run_checks(*, model: RegisteredModel, by: Actor) -> CheckResult:
    """Check the model's champion; raises NothingDeployed where it has none.

    A decision to retrain comes back without a job: ``monitoring.tasks.submit_checks`` submits it.
    """
    window = check_window(model)
    if window is None:
        raise NothingDeployed(f"Model {model.name} has no champion to check. Promote a version first.")
    if by.kind is not ActorKind.SYSTEM:  # before anything is kept, so that nothing is without its entry
        with tenant_transaction():
            record(by=by, action="model.checked", target=model, version=window.version.number)
    rules = ensure_rules(model=model, champion=window.version, by=by)
    needed = _rows_needed(rules, AlertMetric.DRIFT_SHARE)
    sums = sums_of(window)
    performance = measure(model=model, window=window, sums=sums)
    drift = check_drift(model=model, minimum_rows=needed, window=window, sums=sums)
    findings = findings_for(rules, Looked(window, drift, performance), measured_for(rules, window))
    changes = evaluate(model=model, champion=window.version, findings=findings, by=by)
    decision = decide(model=model)
    notes = [_quality_note(model, performance, _rows_needed(rules, AlertMetric.PERFORMANCE))]
    notes.append(_drift_note(drift, sums.predictions, needed))
    personal = unwatched(window.version)
    notes.extend([f"Not watched for drift, because personal: {', '.join(personal)}."] if personal else [])
    notes.extend([share_words(model)] if share_words(model) else [])
    notes.extend(f"Alert: {alert.title} ({alert.severity})." for alert in changes.raised)
    notes.extend(f"Resolved: {alert.title}." for alert in changes.resolved)
    if decision is not None:
        notes.append(f"Policy: {decision.get_state_display().lower()}. {decision.reason}")
    return CheckResult(model, window.version, performance, drift, changes, decision, notes)


def _rows_needed(rules: list[AlertRule], metric: AlertMetric) -> int:
    return min((rule.minimum_rows for rule in rules if rule.metric == metric), default=MINIMUM_ROWS)


def _quality_note(model: RegisteredModel, snapshot: PerformanceSnapshot | None, needed: int) -> str:
    if model.problem.outcome is None:
        return "Quality: a clustering has no right answer to measure; its drift is watched."
    if snapshot is None:
        return f"Quality: no verdict, no outcome is known yet ({needed} are needed)."
    primary = model.problem.primary
    value = snapshot.metrics.get(primary.name)
    told = "is not defined" if value is None else f"is {value:.3f}"
    enough = "" if snapshot.labelled >= needed else f"; no verdict below {needed}"
    return f"Quality: {primary.title} {told} over {snapshot.labelled} outcomes{enough}."


def _drift_note(report: DriftReport | None, rows: int, needed: int) -> str:
    if report is None:
        if rows < needed:
            return f"Drift: no verdict, {rows} of {needed} rows needed have been predicted."
        return "Drift: no verdict, the version has no reference to compare with."
    return f"Drift: {report.drifted_features} of {report.features} features over {report.rows:,} rows."
