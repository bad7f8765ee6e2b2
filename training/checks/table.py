"""The table of checks. To add one: write a function, name it here."""

from collections.abc import Sequence

from training.checks.base import Check, Finding, Material, Verdict
from training.checks.columns import (
    constant_columns,
    duplicate_columns,
    identifier_like,
    many_categories,
    missing_values,
    same_schema,
)
from training.checks.leakage import target_leakage, time_leakage
from training.checks.rows import enough_rows, overlap_with_holdout, repeated_rows
from training.checks.target import balance, missing_target, usable_target

CHECKS: tuple[Check, ...] = (
    usable_target,
    enough_rows,
    missing_target,
    balance,
    constant_columns,
    duplicate_columns,
    missing_values,
    identifier_like,
    many_categories,
    repeated_rows,
    overlap_with_holdout,
    target_leakage,
    time_leakage,
    same_schema,
)
SEVERITY = {Verdict.passed: 0, Verdict.warning: 1, Verdict.impossible: 2}


def check_data(material: Material) -> list[Finding]:
    """What every check found, in the order of the table; the target's own failure ends the round."""
    first = usable_target(material)
    if first.verdict is Verdict.impossible:
        return [first]
    return [first, *(check(material) for check in CHECKS[1:])]


def worst(findings: Sequence[Finding]) -> Verdict:
    """The gravest verdict among them."""
    return max((finding.verdict for finding in findings), key=SEVERITY.__getitem__, default=Verdict.passed)
