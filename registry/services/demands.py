"""Which gates a model demands, and with what parameters."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from registry.errors import InvalidGates
from registry.gates import GATES, Gate, Parameters
from registry.gates.fields import parsed, parsed_texts
from registry.models import RegisteredModel
from registry.models.request import LONGEST_DAYS, SHORTEST_DAYS

BY_NAME = {gate.name: gate for gate in GATES}
Choice = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Demand:
    """One gate with the parameters that a model gives it; not ``demanded`` ones stay shut out of a run."""

    gate: Gate
    parameters: Parameters
    demanded: bool = True


def demands_of(model: RegisteredModel) -> list[Demand]:
    """Return the gates that a version of the model must pass, in the order in which they are run.

    Where nobody has chosen, these are the standard ones.
    """
    return [demand for demand in all_demands(model) if demand.demanded]


def all_demands(model: RegisteredModel) -> list[Demand]:
    """Return every gate there is, with what the model asks of it."""
    chosen = {name: one for name, one in model.gates.items() if name in BY_NAME}
    return [
        Demand(gate, parsed(gate, chosen.get(gate.name, {})), _is_demanded(gate, chosen)) for gate in GATES
    ]


def choose_gates(*, model: RegisteredModel, gates: Choice, by: Actor) -> list[Demand]:
    """Have the model demand these gates, each with its parameters, and no others but the ``always`` ones.

    An empty choice brings the standard gates back. Raises InvalidGates, whose ``fields`` name each gate.
    """
    change_rules(model=model, by=by, gates=gates)
    return demands_of(model)


def change_rules(
    *,
    model: RegisteredModel,
    by: Actor,
    gates: Choice | None = None,
    four_eyes: bool | None = None,
    request_days: int | None = None,
) -> RegisteredModel:
    """Change what a promotion of the model's versions needs; what is None stays.

    Gates as in ``choose_gates``, whether a second person approves, and for how many days a proposal stands.
    Raises InvalidGates.
    """
    days = request_days
    if days is not None and not SHORTEST_DAYS <= days <= LONGEST_DAYS:
        sentence = f"A proposal stands for {SHORTEST_DAYS} to {LONGEST_DAYS} days."
        raise InvalidGates(sentence, fields={"request_days": [sentence]})
    chosen = None if gates is None else _checked(model, gates)
    given = {"gates": chosen, "four_eyes": four_eyes, "request_days": days}
    changes = {name: value for name, value in given.items() if value is not None}
    with tenant_transaction():
        row = RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        before = {name: getattr(row, name) for name in changes}
        for name, value in changes.items():
            setattr(row, name, value)
            setattr(model, name, value)
        row.save(update_fields=list(changes))
        record(by=by, action="model.gates_chosen", target=row, before=before, after=changes)
    return model


def choice_of(model: RegisteredModel) -> dict[str, dict[str, Any]]:
    """Return the demanded gates and their parameters as ``choose_gates`` takes them."""
    return {one.gate.name: msgspec.to_builtins(one.parameters) for one in demands_of(model)}


def choice_from_texts(texts: Mapping[str, Mapping[str, str]]) -> dict[str, dict[str, Any]]:
    """Return a choice from what people wrote, by gate and parameter; raises InvalidGates."""
    choice: dict[str, dict[str, Any]] = {}
    faults: dict[str, list[str]] = {}
    for name, written in texts.items():
        if name not in BY_NAME:
            faults[name[:60]] = [_unknown()]
            continue
        try:
            choice[name] = parsed_texts(BY_NAME[name], written)
        except ValueError as error:
            faults[name] = [str(error)]
    _refuse(faults)
    return choice


def _is_demanded(gate: Gate, chosen: Mapping[str, Any]) -> bool:
    return gate.always or (gate.name in chosen if chosen else gate.standard)


def _checked(model: RegisteredModel, gates: Choice) -> dict[str, dict[str, Any]]:
    faults: dict[str, list[str]] = {}
    chosen: dict[str, dict[str, Any]] = {}
    for name, given in gates.items():
        gate = BY_NAME.get(name)
        if gate is None:
            faults[name[:60]] = [_unknown()]
            continue
        try:
            parameters = parsed(gate, given)
        except msgspec.ValidationError as error:
            faults[name] = [str(error)]
            continue
        if problem := gate.unfit(model.problem, parameters):
            faults[name] = [problem]
        chosen[name] = msgspec.to_builtins(parameters)
    _refuse(faults)
    if not chosen:
        return {}
    always = {gate.name: msgspec.to_builtins(gate.parameters()) for gate in GATES if gate.always}
    return {name: (always | chosen)[name] for name in BY_NAME if name in always or name in chosen}


def _refuse(faults: Mapping[str, list[str]]) -> None:
    if faults:
        told = "; ".join(f"{name}: {problem}" for name, (problem, *_) in faults.items())
        raise InvalidGates(f"The gates cannot be chosen like that. {told}", fields=faults)


def _unknown() -> str:
    return f"There is no such gate. Choose from: {', '.join(BY_NAME)}."
