"""Alerts: raised and resolved by checks, acknowledged and resolved by people."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.db.models import F
from django.utils import timezone

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.errors import AlertClosed, AlertNotFound
from monitoring.models import Alert, AlertRule
from monitoring.models.alert import GRAVITY, UNRESOLVED, AlertCause, AlertState, Severity
from monitoring.models.delivery import EventKind
from monitoring.services.outbox import announce
from monitoring.services.silence import raise_silence, standing_silences, why_heard_again
from monitoring.services.verdicts import Findings, Verdict
from monitoring.services.watching import is_silent_too_long, judged
from registry.models import ModelVersion, RegisteredModel

PICTURED = ("pictures", "history")  # of the evidence: kept once, for the moment the alert was raised
OF_RULES = ("", AlertCause.NO_DATA)


@dataclass
class AlertChanges:
    """What a check did to a model's alerts."""

    raised: list[Alert] = field(default_factory=list)
    repeated: list[Alert] = field(default_factory=list)
    resolved: list[Alert] = field(default_factory=list)


def find_alert(pk: int) -> Alert:
    """Return the tenant's alert; raises AlertNotFound."""
    alert = Alert.objects.select_related("model", "version__model", "rule").filter(pk=pk).first()
    if alert is None:
        raise AlertNotFound(f"There is no alert {pk}.")
    return alert


def unresolved_alerts(model: RegisteredModel) -> list[Alert]:
    """Return the model's open and acknowledged alerts of crossed thresholds, newest first."""
    alerts = Alert.objects.filter(model=model, state__in=UNRESOLVED, cause="")
    return list(alerts.select_related("rule", "version__model"))


def evaluate(
    *, model: RegisteredModel, champion: ModelVersion, findings: Findings, by: Actor
) -> AlertChanges:
    """Raise, repeat and resolve the model's alerts by what a check found.

    A rule's condition holds once it was crossed in as many of the last checks as the rule requires. Of the
    rules on one metric (and slice) only the gravest that is crossed counts. While its alert is unresolved it
    is counted up; afterwards the rule stays silent for its cooldown. An alert whose condition is over, whose
    version runs no longer or whose rule is gone is resolved; one without a verdict stays as it is, and a rule
    that lacks data for too long raises an alert that says so.
    """
    changes, now = AlertChanges(), timezone.now()
    with tenant_transaction():
        # One check of a model at a time, so that two at once cannot both raise the same alert.
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        rules = list(AlertRule.objects.filter(model=model, enabled=True))
        verdicts = judged(rules, champion, findings, now)
        leading = _gravest(verdicts)
        standing, over = _close_what_is_over(model, champion, verdicts, leading, by=by)
        changes.resolved.extend(over)
        for rule, verdict in leading.items():
            if rule.pk in standing:
                changes.repeated.append(_repeat(standing[rule.pk], verdict, now))
            elif not _is_silent(rule, champion):
                changes.raised.append(_raise(rule, champion, verdict, by=by))
        _listen_for_silence(rules, champion, now, changes, by=by)
        announce(EventKind.RAISED, changes.raised)
        # What a graver alert has taken over is not over for whoever is told.
        inhibited = {rule.pk for rule, verdict in verdicts.items() if verdict.crossed and rule not in leading}
        announce(EventKind.RESOLVED, [one for one in changes.resolved if one.rule_id not in inhibited])
    return changes


def close_outdated(*, model: RegisteredModel, champion: ModelVersion, by: Actor) -> list[Alert]:
    """Resolve the alerts about versions that no longer run."""
    with tenant_transaction():
        about_rules = Alert.objects.filter(model=model, state__in=UNRESOLVED, cause__in=OF_RULES)
        outdated = list(about_rules.exclude(version=champion).select_related("version__model"))
        closed = [alert for alert in outdated if close(alert, f"{champion} has taken over.", by=by)]
        announce(EventKind.RESOLVED, closed)
        return closed


def acknowledge(*, alert: Alert, by: Actor) -> Alert:
    """Note that somebody looks after the alert; raises AlertClosed where it is not open."""
    with tenant_transaction():
        changed = Alert.objects.filter(pk=alert.pk, state=AlertState.OPEN).update(
            state=AlertState.ACKNOWLEDGED, acknowledged_at=timezone.now(), acknowledged_by=str(by)[:200]
        )
        alert.refresh_from_db()
        if not changed:
            raise AlertClosed(f"The alert is {alert.state} already; only an open one can be acknowledged.")
        before, after = {"state": AlertState.OPEN}, {"state": alert.state}
        record(by=by, action="alert.acknowledged", target=alert, before=before, after=after)
    return alert


def resolve(*, alert: Alert, by: Actor, reason: str = "") -> Alert:
    """Close the alert; its rule then stays silent for its cooldown. Raises AlertClosed."""
    with tenant_transaction():
        if not close(alert, reason, by=by):
            raise AlertClosed("The alert is resolved already.")
        announce(EventKind.RESOLVED, [alert])
    return alert


def _close_what_is_over(
    model: RegisteredModel,
    champion: ModelVersion,
    verdicts: dict[AlertRule, Verdict],
    leading: dict[AlertRule, Verdict],
    *,
    by: Actor,
) -> tuple[dict[int, Alert], list[Alert]]:
    """Resolve the alerts that no longer hold; return those that stand, by rule, and those it resolved."""
    standing: dict[int, Alert] = {}
    over: list[Alert] = []
    for alert in unresolved_alerts(model):
        why = _why_over(alert, champion, verdicts, leading)
        if why:
            over.extend([alert] if close(alert, why, by=by) else [])
        elif alert.rule_id is not None:
            standing[alert.rule_id] = alert
    return standing, over


def _gravest(verdicts: dict[AlertRule, Verdict]) -> dict[AlertRule, Verdict]:
    by_metric: dict[tuple[str, str], AlertRule] = {}
    for rule in sorted(verdicts, key=lambda rule: GRAVITY[Severity(rule.severity)]):
        if verdicts[rule].crossed:
            by_metric[rule.metric, rule.slice] = rule
    return {rule: verdicts[rule] for rule in by_metric.values()}


def _why_over(
    alert: Alert,
    champion: ModelVersion,
    verdicts: dict[AlertRule, Verdict],
    leading: dict[AlertRule, Verdict],
) -> str:
    """Return why the alert no longer holds, or an empty text where it does."""
    if alert.version_id != champion.pk:
        return f"{champion} has taken over."
    if alert.rule is None or not alert.rule.enabled:
        return "Its rule was deleted or switched off."
    verdict = verdicts.get(alert.rule)
    if verdict is None or alert.rule in leading:
        return ""
    return (
        "A graver alert has taken over." if verdict.crossed else f"The condition is over. {verdict.message}"
    )


def _listen_for_silence(
    rules: list[AlertRule], champion: ModelVersion, now: datetime, changes: AlertChanges, *, by: Actor
) -> None:
    """Resolve the alerts about missing data that are over, and raise those that are due."""
    told: set[int | None] = set()
    for alert in standing_silences(champion):
        why = why_heard_again(alert, champion, rules, now)
        if not why:
            told.add(alert.rule_id)
        elif close(alert, why, by=by):
            changes.resolved.append(alert)
    for rule in rules:
        due = rule.pk not in told and is_silent_too_long(rule, now)
        if due and not _is_silent(rule, champion, AlertCause.NO_DATA):
            changes.raised.append(raise_silence(rule, champion, now, by=by))


def _is_silent(rule: AlertRule, champion: ModelVersion, cause: str = "") -> bool:
    since = timezone.now() - timedelta(minutes=rule.cooldown_minutes)
    earlier = Alert.objects.filter(rule=rule, version=champion, cause=cause)
    return earlier.filter(resolved_at__gt=since).exists()


def _raise(rule: AlertRule, champion: ModelVersion, verdict: Verdict, *, by: Actor) -> Alert:
    alert = Alert.objects.create(
        model_id=rule.model_id,
        version=champion,
        rule=rule,
        severity=rule.severity,
        title=verdict.title[:200],
        message=verdict.message,
        evidence=verdict.evidence,
        last_seen_at=timezone.now(),
    )
    record(by=by, action="alert.raised", target=alert, after=fields_of(alert, "created_at"))
    return alert


def _repeat(alert: Alert, verdict: Verdict, now: datetime) -> Alert:
    """Count the alert up and keep what was found now beside the evidence of the moment it was raised."""
    figures = {name: value for name, value in verdict.evidence.items() if name not in PICTURED}
    latest: dict[str, Any] = {"at": now.isoformat(), "message": verdict.message, **figures}
    Alert.objects.filter(pk=alert.pk).update(
        occurrences=F("occurrences") + 1, last_seen_at=now, latest=latest
    )
    alert.refresh_from_db()
    return alert


def close(alert: Alert, why: str, *, by: Actor) -> bool:
    """Resolve the alert and tell whether it was unresolved until now; call it in a transaction."""
    before = {"state": alert.state}
    changed = Alert.objects.filter(pk=alert.pk, state__in=UNRESOLVED).update(
        state=AlertState.RESOLVED, resolved_at=timezone.now(), resolved_by=str(by)[:200]
    )
    alert.refresh_from_db()
    if changed:
        after = {"state": alert.state}
        record(by=by, action="alert.resolved", target=alert, before=before, after=after, reason=why[:500])
    return bool(changed)
