"""Keeping no longer than wanted: what would go, why the rest stays, and the removal itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from mlplatform.errors import NotAllowed
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import WHOLE_TENANT, active_sight, current_tenant, tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.models import RegisteredModel
from registry.services.retention_kinds import KINDS, Gone, Kind, Rule, Scope, Survey
from registry.services.retention_rules import rules_of


@dataclass(frozen=True)
class Part:
    """One kind in one scope, a model or None for the tenant: the rule in force, and what it means now."""

    kind: Kind
    model: Scope
    rule: Rule
    survey: Survey


@dataclass
class Kept:
    """What a run removed, by kind."""

    gone: dict[str, Gone] = field(default_factory=dict)

    @property
    def total(self) -> int:
        """How many things went."""
        return sum(one.count for one in self.gone.values())


def survey_retention(*, now: datetime, model: RegisteredModel | None = None) -> list[Part]:
    """Return what would go now, and what stays although it is old and why; changes nothing.

    ``model`` narrows it to one. Raises NotAllowed for whoever does not see the whole tenant.
    """
    _demand_whole_tenant()
    return [
        Part(kind, scope, rule, kind.survey(scope, rule, now) if rule.days is not None else Survey())
        for kind, scope, rule in _rules(model)
    ]


def apply_retention(*, now: datetime, by: Actor, model: RegisteredModel | None = None) -> Kept:
    """Remove what the survey names, in small transactions, each with its entry in the trail.

    What is deployed, or came into use since, is looked at again under its lock and stays. Stopped in the
    middle, the next run goes on. Raises NotAllowed for whoever does not see the whole tenant.
    """
    _demand_whole_tenant()
    done = Kept()
    with tenant_transaction():  # first, so that nothing goes without a word
        record(by=by, action="retention.run", target=model or current_tenant(), rules=_told(model))
    for kind, scope, rule in list(_rules(model)):
        if rule.days is None:
            continue
        gone, before = kind.remove(scope, rule, now, by), done.gone.get(kind.name, Gone())
        done.gone[kind.name] = Gone(before.count + gone.count, before.bytes + gone.bytes)
    return done


def _rules(model: RegisteredModel | None) -> Iterator[tuple[Kind, Scope, Rule]]:
    with tenant_transaction():
        models = list(RegisteredModel.objects.order_by("name")) if model is None else [model]
    by_model = [(one, rules_of(one)) for one in models]
    tenant = rules_of()
    for kind in KINDS.all():
        if kind.of_models:
            yield from ((kind, one, rules[kind.name]) for one, rules in by_model)
        elif model is None:
            yield kind, None, tenant[kind.name]


def _told(model: RegisteredModel | None) -> dict[str, dict[str, int | None]]:
    return {name: {"days": rule.days, "newest": rule.newest} for name, rule in rules_of(model).items()}


def _demand_whole_tenant() -> None:
    if active_sight() != WHOLE_TENANT:
        raise NotAllowed(
            "You see only some of the models, and what they share is judged by all. Ask an admin."
        )
