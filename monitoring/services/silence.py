"""Alerts about rules that have lacked data for too long: no news is not good news."""

from datetime import datetime

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.models import Alert, AlertRule
from monitoring.models.alert import UNRESOLVED, AlertCause, AlertMetric, Severity
from monitoring.services.watching import condition_of, is_silent_too_long, silent_since
from registry.models import ModelVersion


def standing_silences(champion: ModelVersion) -> list[Alert]:
    """Return the model's unresolved alerts about missing data."""
    alerts = Alert.objects.filter(model=champion.model_id, cause=AlertCause.NO_DATA, state__in=UNRESOLVED)
    return list(alerts.select_related("rule", "version__model"))


def why_heard_again(alert: Alert, champion: ModelVersion, rules: list[AlertRule], now: datetime) -> str:
    """Return why the alert about missing data is over, or an empty text where it is not."""
    rule = next((one for one in rules if one.pk == alert.rule_id), None)
    if alert.version_id != champion.pk:
        return f"{champion} has taken over."
    if rule is None or not rule.no_data_hours:
        return "Its rule was deleted or switched off."
    return "" if is_silent_too_long(rule, now) else "There is enough data again."


def raise_silence(rule: AlertRule, champion: ModelVersion, now: datetime, *, by: Actor) -> Alert:
    """Raise the alert that the rule has had no verdict for too long."""
    since, label = silent_since(rule) or now, AlertMetric(rule.metric).label
    hours = (now - since).total_seconds() / 3600
    alert = Alert.objects.create(
        model_id=rule.model_id,
        version=champion,
        rule=rule,
        cause=AlertCause.NO_DATA,
        severity=Severity.WARNING if rule.severity == Severity.CRITICAL else Severity.INFO,
        title=f"{champion}: no data for “{label}”"[:200],
        message=(
            f"No check has had a verdict for {hours:,.0f} hours; the rule allows {rule.no_data_hours}. "
            f"It needs {rule.minimum_rows:,} rows in its window. Nobody knows meanwhile whether the model is "
            "still good: see whether it is asked, and whether outcomes come in."
        ),
        evidence={
            **condition_of(rule),
            "without_a_verdict_since": since.isoformat(),
            "hours": round(hours, 1),
        },
        last_seen_at=now,
    )
    record(by=by, action="alert.raised", target=alert, after=fields_of(alert, "created_at"))
    return alert
