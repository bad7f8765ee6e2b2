"""A dataset's columns as a table with small pictures."""

from collections.abc import Mapping
from typing import Any

from django.utils.safestring import SafeString

from mlplatform.admin.parts import Badge, Fragment, Lines, Meter, Table
from mlplatform.admin.pictures import density, histogram, plots
from mlplatform.admin.render import number
from mlplatform.pictures import Figure, correlation
from registry.admin.words import personal_badge
from registry.models import Dataset

QUARTILES = ("0.25", "0.5", "0.75")
TOP_VALUES = 5
CORRELATIONS = (
    (
        "pearson",
        "Along a line (Pearson)",
        "1: one rises with the other along a straight line. -1: one falls as the other rises. 0: no line.",
    ),
    (
        "spearman",
        "In order (Spearman)",
        "The same of the values' ranks: 1 where one always rises with the other, along whatever curve.",
    ),
)


def columns_table(dataset: Dataset) -> Table:
    """Return one row for each column: type, gaps, values, distribution."""
    profiles = dataset.profile.get("columns", {})
    rows = [
        [
            column_title(column),
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
    sample = dataset.profile.get("sample_rows")
    note = (
        f"Quantiles and the bins of the pictures come from {sample:,} evenly spread rows; counts are "
        "of all rows."
        if sample and sample < dataset.rows
        else ""
    )
    return Table("Columns", titles, rows, note=note)


def column_title(column: Mapping[str, Any]) -> Lines | str:
    """Return the name with the unit, and what people said of the column."""
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


def correlations_section(dataset: Dataset) -> Fragment | None:
    """Return how the columns of numbers go together; nothing where there are fewer than two."""
    found = dataset.profile.get("correlations") or {}
    names = found.get("columns", [])
    if len(names) < 2:
        return None
    figures = [
        Figure(title, correlation(found[kind], names, title=f"{title} of {dataset.name}"), words)
        for kind, title, words in CORRELATIONS
    ]
    return plots(f"How numbers go together, on {found['rows']:,} rows", figures)


def _most_frequent(counted: Mapping[str, Any]) -> Lines:
    present = sum(counted["counts"]) + counted.get("other", 0)
    named = zip(counted["categories"], counted["counts"], strict=True)
    told = [f"{name} {count / max(present, 1):.0%}" for name, count in list(named)[:TOP_VALUES]]
    more = len(counted["categories"]) > TOP_VALUES or counted.get("other")
    return Lines(told[0], [", ".join(told[1:]) + (" …" if more else "")] if told[1:] else [])


def _missing(profile: Mapping[str, Any], rows: int) -> Meter | str:
    missing = profile.get("missing") or 0
    return Meter(missing / max(rows, 1), f"{missing:,}", "warn") if missing else "none"


def _values(profile: Mapping[str, Any]) -> Lines | str | None:
    if profile.get("mean") is not None:
        spread = f"{number(profile['min'])} to {number(profile['max'])}"
        quantiles = profile.get("quantiles", {})
        middle = " · ".join(number(quantiles[share]) for share in QUARTILES if share in quantiles)
        told = f"mean {number(profile['mean'])}, std {number(profile['std'])}"
        return Lines(spread, [told, f"quartiles {middle}"] if middle else [told])
    histogram_ = profile.get("histogram") or {}
    if histogram_.get("categories"):
        return _most_frequent(histogram_)
    return None if profile.get("min") is None else f"{profile['min']} to {profile['max']}"
