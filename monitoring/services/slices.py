"""Which slices of a model's cases are watched apart."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone

from mlplatform.errors import InvalidInput
from mlplatform.tenancy.actors import Actor
from mlplatform.tenancy.scope import tenant_transaction
from mlplatform.tenancy.services.audit import record
from monitoring.errors import NothingDeployed
from monitoring.frames import is_watched
from monitoring.services.places import WHOLE, Part
from monitoring.statistics.slices import MISSING, OTHERS, names_of, usual_rule
from registry.models import ModelVersion, RegisteredModel
from registry.services.champions import champion_of
from registry.tabular.columns import NUMBER_TYPES, Column, ColumnType
from registry.tabular.schema import columns_from_json

MOST_COLUMNS, MOST_SLICES = 5, 20
USUAL_VALUES = 10
SLICED = NUMBER_TYPES | {ColumnType.category}


class InvalidSlices(InvalidInput):
    """These columns cannot be sliced so."""

    code = "invalid_slices"


def slices_named(model: RegisteredModel) -> dict[str, list[str]]:
    """Return the names of the model's slices by column."""
    return {column: names_of(rule) for column, rule in model.slices.items()}


def demand_slice(model: RegisteredModel, part: Part) -> None:
    """Raise InvalidSlices where the model has no such slice; the whole is always there."""
    if part == WHOLE:
        return
    names = slices_named(model).get(part.column)
    if names is None:
        address = f"/api/v1/models/{model.name}/slices"
        wrong = f"{model.name} has no slices of {part.column[:60]}. Set them at {address}."
        raise InvalidSlices(wrong, fields={"column": [wrong]})
    if part.value not in names:
        wrong = f"{part.column} has no slice {part.value[:60]!r}. Choose one of: {', '.join(names)}."
        raise InvalidSlices(wrong, fields={"value": [wrong]})


def set_slices(
    *, model: RegisteredModel, slices: Mapping[str, Sequence[Any]], by: Actor
) -> dict[str, list[str]]:
    """Choose the columns that are sliced, each by cuts of its numbers or by its values; return the names.

    At most 5 columns of up to 20 slices each. A column without cuts or values takes the champion's reference:
    its quarters, or its ten most frequent values. What was counted before stays as it was: a column that is
    sliced anew begins now. Raises InvalidSlices, and NothingDeployed where no version tells the columns.
    """
    version = _version(model)
    if len(slices) > MOST_COLUMNS:
        raise InvalidSlices(f"At most {MOST_COLUMNS} columns can be sliced. Leave some out.")
    columns = {column.name: column for column in columns_from_json(version.features)}
    now = timezone.now().isoformat()
    wrong: dict[str, list[str]] = {}
    rules: dict[str, Any] = {}
    for name, wanted in slices.items():
        try:
            rules[name] = _rule(name, columns.get(name), wanted, version.reference.get(name) or {})
        except InvalidSlices as error:
            wrong[name[:60]] = [error.detail]
    if wrong:
        raise InvalidSlices(" ".join(text for (text,) in wrong.values()), fields=wrong)
    with tenant_transaction():
        row = RegisteredModel.objects.select_for_update(no_key=True).get(pk=model.pk)
        before = row.slices
        row.slices = {name: _since(before.get(name), rule, now) for name, rule in rules.items()}
        if row.slices != before:
            row.save(update_fields=["slices"])
            record(
                by=by, action="model.slices_chosen", target=row, before=_told(before), after=_told(row.slices)
            )
    model.slices = row.slices
    return slices_named(model)


def _version(model: RegisteredModel) -> ModelVersion:
    with tenant_transaction():
        version = champion_of(model) or ModelVersion.objects.filter(model=model).first()
    if version is None:
        raise NothingDeployed(f"Model {model.name} has no version, which tells its columns. Train one first.")
    return version


def _rule(
    name: str, column: Column | None, wanted: Sequence[Any], reference: Mapping[str, Any]
) -> dict[str, Any]:
    if column is None or column.type not in SLICED:
        raise InvalidSlices(
            f"{name[:60]} is no column of numbers or categories that the model is asked with."
        )
    if not is_watched(column):
        raise InvalidSlices(
            f"Of {name} the log keeps no values, because it is personal. Choose another column."
        )
    if not wanted:
        usual = usual_rule(reference, USUAL_VALUES)
        if usual is None:
            raise InvalidSlices(f"The reference of {name} says nothing of its values. Name cuts or values.")
        return _distinct(name, usual)
    return _cuts(name, wanted) if column.type in NUMBER_TYPES else _values(name, wanted)


def _distinct(name: str, rule: dict[str, Any]) -> dict[str, Any]:
    if len({f"{cut:g}" for cut in rule.get("cuts", [])}) < len(rule.get("cuts", [])):
        raise InvalidSlices(f"The slices of {name} lie too close together to be told apart. Name other ones.")
    return rule


def _cuts(name: str, wanted: Sequence[Any]) -> dict[str, Any]:
    try:
        cuts = sorted({float(one) for one in wanted})
    except (TypeError, ValueError) as error:
        raise InvalidSlices(f"The cuts of {name} must be numbers, as in 18, 65.") from error
    if not all(map(math.isfinite, cuts)):
        raise InvalidSlices(f"The cuts of {name} must be finite numbers.")
    return _bounded(name, _distinct(name, {"cuts": cuts}))


def _values(name: str, wanted: Sequence[Any]) -> dict[str, Any]:
    values = [str(one).strip()[:200] for one in wanted]
    if not all(values) or {OTHERS, MISSING} & set(values):
        raise InvalidSlices(
            f"The values of {name} must be words; {OTHERS} and {MISSING} are there in any case."
        )
    return _bounded(name, {"values": list(dict.fromkeys(values))})


def _bounded(name: str, rule: dict[str, Any]) -> dict[str, Any]:
    if len(names_of(rule)) > MOST_SLICES:
        raise InvalidSlices(
            f"{name} can have {MOST_SLICES} slices, with those for what is left over. Name fewer."
        )
    return rule


def _since(before: Mapping[str, Any] | None, rule: dict[str, Any], now: str) -> dict[str, Any]:
    same = before is not None and {name: before[name] for name in before if name != "since"} == rule
    return dict(before) if same and before is not None else {**rule, "since": now}


def _told(slices: Mapping[str, Any]) -> dict[str, list[str]]:
    return {name: names_of(rule) for name, rule in slices.items()}
