"""Checks of each column by itself, and of columns that say the same."""

from collections import defaultdict
from typing import Any

import pandas as pd

from registry.tabular.schema import Column, ColumnType
from training.checks.base import Finding, Material, Verdict, named, passed

NEARLY_ALL = 0.95
MIN_ROWS = 20


def constant_columns(material: Material) -> Finding:
    """Warn of columns with a single value, or none."""
    found = [c.name for c in material.used if _is_constant(material.frame[c.name])]
    if not found:
        return passed("constant_columns", "Every column varies.")
    return Finding(
        "constant_columns",
        Verdict.warning,
        f"{named(found)} {'has' if len(found) == 1 else 'have'} the same value in every row.",
        "Nothing can be learnt from them; set their type to ignored, or find out why they do not vary.",
        tuple(found),
    )


def _is_constant(values: "pd.Series[Any]") -> bool:
    if values.empty:
        return True
    first = values.iloc[0]
    return bool(values.isna().all() if pd.isna(first) else (values == first).all())


def duplicate_columns(material: Material) -> Finding:
    """Warn of columns with the same value in every row as another one."""
    alike: dict[tuple[object, ...], list[str]] = defaultdict(list)
    for column in material.used:
        hashed = pd.util.hash_pandas_object(material.frame[column.name], index=False)
        alike[(column.type, hashed.sum(), hashed.iloc[:100].to_numpy().tobytes())].append(column.name)
    frame = material.frame
    found = [
        name
        for names in alike.values()
        for name in names[1:]
        if frame[name].astype(object).equals(frame[names[0]].astype(object))
    ]
    if not found:
        return passed("duplicate_columns", "No two columns are the same.")
    return Finding(
        "duplicate_columns",
        Verdict.warning,
        f"{named(found)} repeat another column.",
        "Ignore them: they add nothing, and they share importance with their twin.",
        tuple(found),
    )


def missing_values(material: Material) -> Finding:
    """Warn of columns that are mostly empty."""
    shares = material.frame[[column.name for column in material.used]].isna().mean()
    found = [str(name) for name, share in shares.items() if share > material.limits.max_missing_share]
    if not found:
        most = float(shares.max()) if len(shares) else 0.0
        return passed("missing_values", f"No column lacks more than {most:.0%} of its values.")
    return Finding(
        "missing_values",
        Verdict.warning,
        f"{named(found)} {'is' if len(found) == 1 else 'are'} mostly empty.",
        "Keep them where a missing value tells something; else ignore them.",
        tuple(found),
    )


def identifier_like(material: Material) -> Finding:
    """Warn of columns of which (nearly) every row has its own value."""
    found = [column.name for column in material.used if _is_unique(material.frame[column.name], column)]
    if not found:
        return passed("identifier_like", "No column names its rows.")
    return Finding(
        "identifier_like",
        Verdict.warning,
        f"Nearly every row has a value of its own in {named(found)}, as in a number that is given out.",
        "Set the type to identifier: learnt by heart, it helps with known rows and misleads with new ones.",
        tuple(found),
    )


def _is_unique(values: "pd.Series[Any]", column: Column) -> bool:
    if column.type not in {ColumnType.category, ColumnType.integer}:
        return False
    present = values.dropna()
    if len(present) < MIN_ROWS or present.nunique() < NEARLY_ALL * len(present):
        return False
    # Whole numbers that are measured differ, too; what is given out leaves no gaps.
    return column.type is ColumnType.category or bool(present.max() - present.min() <= 2 * len(present))


def many_categories(material: Material) -> Finding:
    """Warn of category columns with more values than are told apart one by one."""
    counts = {
        column.name: int(material.frame[column.name].nunique())
        for column in material.used
        if column.type is ColumnType.category
    }
    found = [name for name, count in counts.items() if count > material.limits.max_categories]
    if not found:
        return passed("many_categories", "No column has too many categories.")
    shown = ", ".join(f'"{name}" ({counts[name]:,})' for name in found[:5])
    return Finding(
        "many_categories",
        Verdict.warning,
        f"Many different values: {shown}.",
        "The rare ones are grouped. Group them by meaning beforehand, or use a boosting algorithm.",
        tuple(found),
    )


def same_schema(material: Material) -> Finding:
    """Warn where columns differ from those of the model's latest version."""
    if material.expected is None:
        return passed("same_schema", "The model has no version yet.")
    now = {column.name: column.type for column in material.used}
    before = {column.name: column.type for column in material.expected}
    gone = [name for name in before if name not in now]
    new = [name for name in now if name not in before]
    other = [name for name in now if name in before and now[name] is not before[name]]
    if not (gone or new or other):
        return passed("same_schema", "The same columns as the latest version's.")
    words = (("gone", gone), ("new", new), ("of another type", other))
    return Finding(
        "same_schema",
        Verdict.warning,
        "Other columns than the latest version's: "
        + "; ".join(f"{word}: {named(names)}" for word, names in words if names)
        + ".",
        "A version with other columns needs clients that send them; compare before you promote.",
        tuple(gone + new + other),
    )
