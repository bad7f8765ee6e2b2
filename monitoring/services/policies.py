"""What a model's policy allows the platform to do by itself."""

import math
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.deciding.terms import QuietHours, Terms
from monitoring.errors import InvalidPolicy
from monitoring.models import RetrainingPolicy
from registry.models import RegisteredModel

FIELDS = (
    "enabled",
    "on_drift",
    "on_performance",
    "performance_threshold",
    "performance_loss",
    "on_age",
    "max_age_days",
    "on_feedback",
    "feedback_threshold",
    "on_volume",
    "volume_rows",
    "on_schedule",
    "minimum_outcomes",
    "cooldown_minutes",
    "monthly_budget",
    "quiet_from",
    "quiet_until",
    "on_success",
    "rollback_on_quality",
    "rollback_on_latency",
    "rollback_on_calibration",
    "rollback_on_errors",
    "rollback_loss",
    "rollback_latency_ms",
    "rollback_gap",
    "rollback_error_rate",
    "rollback_alpha",
    "rollback_minimum",
    "rollback_days",
)
LONGEST_COOLDOWN = 60 * 24 * 365
MOST_OUTCOMES = 10_000_000
MOST = {
    "minimum_outcomes": MOST_OUTCOMES,
    "feedback_threshold": MOST_OUTCOMES,
    "volume_rows": 1_000_000_000,
    "cooldown_minutes": LONGEST_COOLDOWN,
    "max_age_days": 3650,
    "rollback_minimum": MOST_OUTCOMES,
    "rollback_days": 3650,
    "rollback_latency_ms": 3_600_000,
}
NUMBERS = (
    "performance_threshold",
    "performance_loss",
    *(name for name in FIELDS if name.startswith("rollback_")),
)


def policy_of(model: RegisteredModel) -> RetrainingPolicy:
    """Return the model's policy; a model that has none gets the default one."""
    with tenant_transaction():
        policy, _ = RetrainingPolicy.objects.select_related("model").get_or_create(model=model)
    return policy


def update_policy(*, model: RegisteredModel, by: Actor, **changes: Any) -> RetrainingPolicy:
    """Change the policy's fields (see ``FIELDS``); raises InvalidPolicy."""
    policy = policy_of(model)
    before = {name: getattr(policy, name, None) for name in changes}
    changed_policy(policy, changes)
    with tenant_transaction():
        policy.save(update_fields=[*changes, "updated_at"])
        record(by=by, action="policy.updated", target=policy, before=before, after=dict(changes))
    return policy


def changed_policy(policy: RetrainingPolicy, changes: dict[str, Any]) -> RetrainingPolicy:
    """Set the fields of the policy without saving it; raises InvalidPolicy."""
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        hint = f"Choose from {', '.join(FIELDS)}."
        raise InvalidPolicy("The policy has no such field.", fields={name: [hint] for name in unknown})
    for name, value in changes.items():
        setattr(policy, name, value)
    _check(policy)
    return policy


def terms_of(policy: RetrainingPolicy) -> Terms:
    """Return the policy as the plain values that decisions are made by."""
    usual = policy.performance_threshold is None
    feedback = policy.feedback_threshold or settings.RETRAINING_FEEDBACK_THRESHOLD
    return Terms(
        enabled=policy.enabled,
        on_drift=policy.on_drift,
        on_performance=policy.on_performance,
        threshold=settings.PERFORMANCE_THRESHOLD if usual else policy.performance_threshold,
        usual_threshold=usual,
        loss=policy.performance_loss,
        max_age=timedelta(days=policy.max_age_days) if policy.on_age else None,
        feedback=feedback if policy.on_feedback else None,
        volume=policy.volume_rows if policy.on_volume else None,
        minimum_new=policy.minimum_outcomes,
        cooldown=timedelta(minutes=policy.cooldown_minutes),
        budget=policy.monthly_budget,
        quiet=quiet_hours_of(policy),
    )


def quiet_hours_of(policy: RetrainingPolicy) -> QuietHours | None:
    """Return the policy's quiet hours in the tenant's time zone, None where it has none."""
    if policy.quiet_from is None or policy.quiet_until is None:
        return None
    return QuietHours(policy.quiet_from, policy.quiet_until, current_tenant().time_zone or "UTC")


def _check(policy: RetrainingPolicy) -> None:
    try:
        policy.clean_fields(exclude=["tenant", "model"])
    except ValidationError as error:
        raise InvalidPolicy("Some fields of the policy are wrong.", fields=error.message_dict) from error
    wrong = {
        name: [f"Must be at most {most:,}."]
        for name, most in MOST.items()
        if (value := getattr(policy, name)) is not None and value > most
    }
    for name in NUMBERS:
        value = getattr(policy, name)
        if value is not None and not math.isfinite(value):
            wrong[name] = ["Must be a finite number."]
    if (policy.quiet_from is None) != (policy.quiet_until is None):
        missing = "quiet_from" if policy.quiet_from is None else "quiet_until"
        wrong[missing] = ["Quiet hours have a beginning and an end. Give both, or neither."]
    elif policy.quiet_from is not None and policy.quiet_from == policy.quiet_until:
        wrong["quiet_until"] = [
            "The quiet hours end when they begin. Choose another time, or leave both empty."
        ]
    if wrong:
        raise InvalidPolicy("Some fields of the policy are wrong.", fields=wrong)
