"""What a model's policy allows the platform to do by itself."""

from typing import Any

from django.core.exceptions import ValidationError

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.errors import InvalidPolicy
from monitoring.models import RetrainingPolicy
from registry.models import RegisteredModel

FIELDS = ("enabled", "on_drift", "on_performance", "minimum_outcomes", "cooldown_minutes", "on_success")
LONGEST_COOLDOWN = 60 * 24 * 365
MOST_OUTCOMES = 10_000_000


def policy_of(model: RegisteredModel) -> RetrainingPolicy:
    """Return the model's policy; a model that has none gets the default one."""
    with tenant_transaction():
        policy, _ = RetrainingPolicy.objects.select_related("model").get_or_create(model=model)
    return policy


def update_policy(*, model: RegisteredModel, by: Actor, **changes: Any) -> RetrainingPolicy:
    """Change the policy's fields (see ``FIELDS``); raises InvalidPolicy."""
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        hint = f"Choose from {', '.join(FIELDS)}."
        raise InvalidPolicy("The policy has no such field.", fields={name: [hint] for name in unknown})
    policy = policy_of(model)
    before = {name: getattr(policy, name) for name in changes}
    for name, value in changes.items():
        setattr(policy, name, value)
    _check(policy)
    with tenant_transaction():
        policy.save(update_fields=[*changes, "updated_at"])
        record(by=by, action="policy.updated", target=policy, before=before, after=dict(changes))
    return policy


def _check(policy: RetrainingPolicy) -> None:
    try:
        policy.clean_fields()
    except ValidationError as error:
        raise InvalidPolicy("Some fields of the policy are wrong.", fields=error.message_dict) from error
    limits = {"minimum_outcomes": MOST_OUTCOMES, "cooldown_minutes": LONGEST_COOLDOWN}
    wrong = {
        name: [f"Must be at most {most:,}."] for name, most in limits.items() if getattr(policy, name) > most
    }
    if wrong:
        raise InvalidPolicy("Some fields of the policy are wrong.", fields=wrong)
