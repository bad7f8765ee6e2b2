"""A dataset's columns as a table with small pictures."""

from collections.abc import Mapping
from typing import Any

from django.utils.safestring import SafeString

from mlplatform.admin.parts import Badge, Lines, Meter, Table
from mlplatform.admin.pictures import density, histogram
from mlplatform.admin.render import number
from registry.admin.words import personal_badge
from registry.models import Dataset


def columns_table(dataset: Dataset) -> Table:
    """Return one row for each column: type, gaps, values, distribution."""
    profiles = dataset.profile.get("columns", {})
    rows = [
        [
            _name(column),
            Badge(column["type"], "info"),
            personal_badge(column),
            _missing(profiles.get(column["name"], {}), dataset.rows),
            profiles.get(column["name"], {}).get("distinct"),
            None if column.get("personal") else _values(profiles.get(column["name"], {})),
            picture(profiles.get(column["name"], {}), column["name"]),
        ]
        for column in dataset.columns
    ]
    titles = ["Column", "Type", "Personal", "Missing", "Distinct", "Values", "Distribution"]
    return Table("Columns", titles, rows)


def _name(column: Mapping[str, Any]) -> Lines | str:
    """Return the name, and what people said of the column."""
    unit, told = column.get("unit"), column.get("description")
    name = f"{column['name']} ({unit})" if unit else str(column["name"])
    return Lines(name, [told]) if told else name


def picture(profile: Mapping[str, Any], name: str) -> SafeString | None:
    """Return the column's histogram; numbers by density, since their bins are quantiles of unequal width."""
    counted = profile.get("histogram")
    if not counted or not counted["counts"]:
        return None
    if "edges" in counted and profile.get("min") is not None:
        edges = [profile["min"], *counted["edges"], profile["max"]]
        return density(edges, counted["counts"], title=f"Distribution of {name}")
    return histogram(counted["counts"][:20], title=f"Distribution of {name}")


def _missing(profile: Mapping[str, Any], rows: int) -> Meter | str:
    missing = profile.get("missing") or 0
    return Meter(missing / max(rows, 1), f"{missing:,}", "warn") if missing else "none"


def _values(profile: Mapping[str, Any]) -> Lines | str | None:
    if profile.get("mean") is not None:
        spread = f"{number(profile['min'])} to {number(profile['max'])}"
        return Lines(spread, [f"mean {number(profile['mean'])}, std {number(profile['std'])}"])
    categories = (profile.get("histogram") or {}).get("categories")
    if categories:
        return ", ".join(str(name) for name in categories[:4]) + (" …" if len(categories) > 4 else "")
    return None if profile.get("min") is None else f"{profile['min']} to {profile['max']}"
