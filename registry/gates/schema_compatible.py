"""Clients of the champion can go on sending the same rows."""

from registry.gates.base import Evidence, Gate, Parameters, Verdict
from registry.tabular.schema import NUMBER_TYPES, UNUSED_TYPES, Column, ColumnType, columns_from_json

# A column may be read as either without a client noticing.
_INTERCHANGEABLE = (
    frozenset({ColumnType.numeric, ColumnType.integer}),
    frozenset({ColumnType.category, ColumnType.text}),
)


def check(evidence: Evidence, parameters: Parameters) -> Verdict:
    """Compare the candidate's features and classes with the champion's."""
    if evidence.champion is None:
        return True, "There is no champion yet, so no client depends on a schema.", {}
    before = _used(columns_from_json(evidence.champion.features))
    after = _used(columns_from_json(evidence.candidate.features))
    faults = [f"asks for {name}, which clients do not send" for name in after if name not in before]
    faults += [f"no longer takes {name}" for name in before if name not in after]
    for name in before.keys() & after.keys():
        faults += _changes(before[name], after[name])
    lost = sorted(set(evidence.champion.classes or ()) - set(evidence.candidate.classes or ()))
    faults += [f"can no longer answer {label!r}" for label in lost]
    numbers = {"features": len(after), "faults": len(faults)}
    if faults:
        return False, f"The version {'; '.join(sorted(faults)[:10])}.", numbers
    return True, f"Takes the same {len(after)} features as {evidence.champion}.", numbers


def _used(columns: list[Column]) -> dict[str, Column]:
    return {column.name: column for column in columns if column.type not in UNUSED_TYPES}


def _changes(before: Column, after: Column) -> list[str]:
    alike = any({before.type, after.type} <= group for group in _INTERCHANGEABLE)
    if before.type != after.type and not alike:
        kind = "a number" if after.type in NUMBER_TYPES - {ColumnType.boolean} else after.type.value
        return [f"reads {after.name} as {kind} instead of {before.type.value}"]
    if before.nullable and not after.nullable:
        return [f"no longer takes null for {after.name}"]
    return []


SCHEMA_COMPATIBLE = Gate(
    "schema_compatible",
    "Takes the same rows as the champion",
    "Whoever asks the champion can send the same rows and get the same classes back.",
    check,
    standard=True,
)
