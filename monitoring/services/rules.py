"""Alert rules: the default ones, and those that people make."""

import math
from typing import Any

from django.core.exceptions import ValidationError
from django.db import IntegrityError

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import fields_of, record
from monitoring.errors import InvalidRule, RuleExists, RuleNotFound
from monitoring.models import AlertRule
from monitoring.models.alert import AlertMetric, Severity
from monitoring.services.rule_measures import SHARES, WHOLE_ALONE
from monitoring.services.watching import MOST_CHECKS
from registry.models import ModelVersion, RegisteredModel
from registry.services.retention_kinds import WATCHED_DAYS

DRIFT_WARNING, DRIFT_CRITICAL = 0.0, 0.5  # beside the alarm of the check
TOLERATED_LOSS = 0.1  # of the hold-out's value
LONGEST_COOLDOWN = 60 * 24 * 365
LONGEST_SILENCE = 24 * 365
LONGEST_WINDOW = 24 * WATCHED_DAYS
MOST_ROWS = 1_000_000
# What a rule remembers of earlier checks says nothing once one of these is changed.
CONDITION = ("comparison", "threshold", "window_hours", "slice", "minimum_rows", "enabled")


def ensure_rules(*, model: RegisteredModel, champion: ModelVersion, by: Actor) -> list[AlertRule]:
    """Return the model's rules; a model that has none gets the default ones.

    Drift: a warning at every alarm of the check, which the model's drift settings decide; critical where half
    of the features have drifted. Quality: critical where the
    primary metric is worse than the champion's hold-out value by more than a tenth; the limit is stored as a
    number, for people to change. A rule that is not wanted is switched off, not deleted.
    """
    with tenant_transaction():
        existing = list(AlertRule.objects.filter(model=model))
        if existing:
            return existing
        # The row lock keeps two first checks from making the rules twice.
        RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        if AlertRule.objects.filter(model=model).exists():
            return list(AlertRule.objects.filter(model=model))
        AlertRule.objects.bulk_create(_default_rules(model, champion))
        made = list(AlertRule.objects.filter(model=model))
        for rule in made:
            record(by=by, action="alert_rule.created", target=rule, after=fields_of(rule))
        return made


def _default_rules(model: RegisteredModel, champion: ModelVersion) -> list[AlertRule]:
    drift, quality = AlertMetric.DRIFT_SHARE, AlertMetric.PERFORMANCE
    limits = [(drift, DRIFT_WARNING, Severity.WARNING), (drift, DRIFT_CRITICAL, Severity.CRITICAL)]
    tolerated = tolerated_value(champion)
    if tolerated is not None:
        limits.append((quality, tolerated, Severity.CRITICAL))
    return [
        AlertRule(model=model, metric=metric, threshold=threshold, severity=severity)
        for metric, threshold, severity in limits
    ]


def tolerated_value(champion: ModelVersion) -> float | None:
    """Return the primary metric's hold-out value, made worse by a tenth of it; None where it is unknown."""
    primary = champion.model.problem.primary
    value = champion.metrics.get(primary.name)
    if value is None:
        return None
    loss = TOLERATED_LOSS * abs(value)
    return float(value - loss if primary.higher_is_better else value + loss)


def find_rule(pk: int) -> AlertRule:
    """Return the tenant's rule; raises RuleNotFound."""
    rule = AlertRule.objects.select_related("model").filter(pk=pk).first()
    if rule is None:
        raise RuleNotFound(f"There is no alert rule {pk}.")
    return rule


def create_rule(*, model: RegisteredModel, by: Actor, **fields: Any) -> AlertRule:
    """Make a rule; ``fields`` are those of AlertRule. Raises InvalidRule or RuleExists."""
    return _save(AlertRule(model=model, **fields), by=by, action="alert_rule.created")


def update_rule(*, rule: AlertRule, by: Actor, **fields: Any) -> AlertRule:
    """Change the rule's fields, all but its model. Raises InvalidRule or RuleExists.

    A rule whose condition changed forgets its earlier checks.
    """
    before = {name: getattr(rule, name) for name in fields}
    for name, value in fields.items():
        setattr(rule, name, value)
    columns = list(before)  # a check may note its verdict meanwhile: nothing else is written
    if any(before[name] != getattr(rule, name) for name in before.keys() & set(CONDITION)):
        rule.watch = {}
        columns.append("watch")
    return _save(rule, by=by, action="alert_rule.updated", before=before, columns=columns)


def delete_rule(*, rule: AlertRule, by: Actor) -> None:
    """Delete the rule; the next check resolves its alerts, which stay as history."""
    with tenant_transaction():
        record(by=by, action="alert_rule.deleted", target=rule, before=fields_of(rule))
        rule.delete()


def _save(
    rule: AlertRule,
    *,
    by: Actor,
    action: str,
    before: dict[str, Any] | None = None,
    columns: list[str] | None = None,
) -> AlertRule:
    _check(rule)
    try:
        with tenant_transaction():
            rule.save(update_fields=columns)
            after = fields_of(rule) if before is None else {name: getattr(rule, name) for name in before}
            record(by=by, action=action, target=rule, before=before, after=after)
    except IntegrityError as error:
        raise RuleExists(
            f"{rule.model} has a rule of this metric, severity, window and slice already. Change that one."
        ) from error
    return rule


def _check(rule: AlertRule) -> None:
    try:
        rule.clean_fields()
    except ValidationError as error:
        raise InvalidRule("Some fields of the rule are wrong.", fields=error.message_dict) from error
    rule.slice = rule.slice.strip()
    wrong = _out_of_range(rule)
    if unfit := _unfit_limit(rule):
        wrong["threshold"] = [unfit]
    if rule.slice and rule.metric in WHOLE_ALONE:
        wrong["slice"] = ["Requests are counted as a whole: one may hold rows of every slice."]
    if rule.slice and rule.metric == AlertMetric.CONCEPT_DRIFT:
        wrong["slice"] = ["Errors are followed as a whole. Watch the slice's quality instead."]
    if rule.required > rule.out_of:
        wrong["required"] = [f"Must be at most the number of checks looked at, {rule.out_of}."]
    if wrong:
        raise InvalidRule("Some fields of the rule are wrong.", fields=wrong)


def _unfit_limit(rule: AlertRule) -> str:
    """Say why the threshold cannot be one of the metric; nothing where it can."""
    if not math.isfinite(rule.threshold):
        return "Must be a finite number."
    if rule.metric == AlertMetric.DRIFT_SHARE and not 0 <= rule.threshold <= 1:
        return "Must be a share from 0 to 1; 0 is every alarm of the drift check."
    if rule.metric in SHARES and not 0 <= rule.threshold <= 1:
        return "Must be a share from 0 to 1."
    if rule.metric == AlertMetric.CONCEPT_DRIFT and rule.threshold < 1:
        return "Must be a number of rises, 1 or more."
    if rule.metric == AlertMetric.LATENCY and rule.threshold <= 0:
        return "Must be more than 0 milliseconds."
    return ""


def _out_of_range(rule: AlertRule) -> dict[str, list[str]]:
    limits = {
        "cooldown_minutes": (0, LONGEST_COOLDOWN),
        "escalate_after_minutes": (0, LONGEST_COOLDOWN),
        "no_data_hours": (0, LONGEST_SILENCE),
        "window_hours": (0, LONGEST_WINDOW),
        "minimum_rows": (1, MOST_ROWS),
        "required": (1, MOST_CHECKS),
        "out_of": (1, MOST_CHECKS),
    }
    return {
        name: [f"Must lie between {least:,} and {most:,}."]
        for name, (least, most) in limits.items()
        if not least <= getattr(rule, name) <= most
    }
