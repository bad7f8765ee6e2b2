"""For how long things are kept: the installation's rules, a tenant's own, and a model's own."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.models import Tenant
from mlplatform.tenancy.scope import current_tenant_id, tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import InvalidRetention
from registry.models import RegisteredModel
from registry.services.retention_kinds import KINDS, Kind, Rule

LONGEST_DAYS, MOST_NEWEST = 36_500, 10_000
FIELDS = ("days", "newest")
NEVER = "never"  # how people write that a kind is kept for ever
Chosen = Mapping[str, Mapping[str, int | None] | None]


def own_rules(model: RegisteredModel | None = None) -> dict[str, dict[str, int | None]]:
    """Return what the active tenant, or the model, has chosen itself, as it stands in the database now."""
    with tenant_transaction():
        if model is None:
            chosen = Tenant.objects.values_list("retention", flat=True).get(pk=current_tenant_id())
        else:
            chosen = RegisteredModel.objects.values_list("retention", flat=True).get(pk=model.pk)
    return {name: dict(rule) for name, rule in chosen.items() if KINDS.named(name)}


def rules_of(model: RegisteredModel | None = None) -> dict[str, Rule]:
    """Return the rule of each kind in force, for the tenant, or for a model (kinds of models alone)."""
    tenant = own_rules()
    own = {} if model is None else own_rules(model)
    return {
        kind.name: replace(kind.usual(), **{**tenant.get(kind.name, {}), **own.get(kind.name, {})})
        for kind in KINDS.all()
        if model is None or kind.of_models
    }


def change_retention(*, changes: Chosen, by: Actor, model: RegisteredModel | None = None) -> dict[str, Rule]:
    """Choose how long kinds are kept, for the tenant or for one model; what is not named stays.

    A kind's ``days`` may be None, which keeps it for ever. What is left out of its rule follows the wider
    one, and so does a kind mapped to None: a model's the tenant's, the tenant's the installation's. Raises
    InvalidRetention. Nothing is removed yet.
    """
    _check(changes, model)
    with tenant_transaction():
        table: Any = Tenant if model is None else RegisteredModel
        key = current_tenant_id() if model is None else model.pk
        row = table.objects.select_for_update(no_key=True).get(pk=key)
        before = {name: row.retention.get(name) for name in changes}
        row.retention = _merged(row.retention, changes)
        row.save(update_fields=["retention"])
        after = {name: row.retention.get(name) for name in changes}
        if before != after:
            record(by=by, action="retention.changed", target=row, before=before, after=after)
    if model is not None:
        model.retention = row.retention
    return rules_of(model)


def parsed_choice(
    words: Sequence[str], own: Mapping[str, Mapping[str, int | None]] | None = None
) -> dict[str, dict[str, int | None] | None]:
    """Return what people wrote: ``KIND.days=30``, ``KIND.newest=10``, ``KIND.days=never``, ``KIND=usual``.

    ``own`` are rules to which the words add. Raises InvalidRetention.
    """
    chosen: dict[str, dict[str, int | None] | None] = {}
    for word in words:
        left, _, value = word.partition("=")
        kind, _, field = left.partition(".")
        if value == "usual" and not field:
            chosen[kind] = None
            continue
        if not field or not (value.isdecimal() or value == NEVER):
            raise InvalidRetention(f"{word!r} is no rule. Write KIND.days=30, KIND.days=never or KIND=usual.")
        rule = chosen[kind] or {} if kind in chosen else (own or {}).get(kind, {})
        chosen[kind] = {**rule, field: None if value == NEVER else int(value)}
    return chosen


def _merged(stored: Mapping[str, Any], changes: Chosen) -> dict[str, Any]:
    merged = dict(stored)
    for name, rule in changes.items():
        if rule is None:
            merged.pop(name, None)
        else:
            merged[name] = dict(rule)
    return merged


def _check(changes: Chosen, model: RegisteredModel | None) -> None:
    faults: dict[str, list[str]] = {}
    known = [kind for kind in KINDS.all() if model is None or kind.of_models]
    for name, rule in changes.items():
        kind = next((one for one in known if one.name == name), None)
        if kind is None:
            names = ", ".join(one.name for one in known)
            faults[str(name)[:60]] = [
                f"Nothing of this name has a rule{' of a model' if model else ''}: {names}."
            ]
        elif rule is not None and (problem := _problem(kind, rule)):
            faults[name] = [problem]
    if faults:
        told = "; ".join(f"{name}: {problem}" for name, (problem, *_) in faults.items())
        raise InvalidRetention(f"The rules cannot be chosen like that. {told}", fields=faults)


def _problem(kind: Kind, rule: Mapping[str, Any]) -> str:
    fields = FIELDS if kind.counted else FIELDS[:1]
    if unknown := sorted(set(rule) - set(fields)):
        return f"{unknown[0][:40]!r} is no part of its rule; {' and '.join(fields)} are."
    days, newest = rule.get("days"), rule.get("newest", 1)
    if days is not None and not (_is_whole(days) and kind.least_days <= days <= LONGEST_DAYS):
        return f"days is a whole number from {kind.least_days} to {LONGEST_DAYS}, or null for ever."
    if not (_is_whole(newest) and 1 <= newest <= MOST_NEWEST):
        return f"newest is a whole number from 1 to {MOST_NEWEST}."
    return ""


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)
