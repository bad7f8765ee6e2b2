"""What differs between two snapshots of a table, told from their schemas and profiles alone.

So two tables of any size are compared at once, and nothing is said of a personal column but counts.
Distances lie between 0 (alike) and 1 (nothing in common): for numbers the largest gap between the two
cumulative distributions (Kolmogorov and Smirnov's D), for categories half the sum of the differences of
their shares (total variation). Numbers are known by the bins of their profiles; between two bins' edges
their values count as evenly spread.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from registry.tabular.columns import NUMBER_TYPES, Column, ColumnType
from registry.tabular.inference import MAX_CATEGORIES

CHANGED, STRONGLY = 0.1, 0.25
MOST_NAMES = 20
Profile = Mapping[str, Any]


def difference(
    before: tuple[Sequence[Column], Profile], after: tuple[Sequence[Column], Profile]
) -> dict[str, Any]:
    """Return what differs, fit for JSON: rows, schema, each common column, and sentences of what stands out.

    Each side is a schema and its profile, as ``registry.tabular.scan.describe`` makes them. Columns are
    sorted by distance, the largest first.
    """
    old, new = ({column.name: column for column in side[0]} for side in (before, after))
    common = [name for name in old if name in new]
    retyped = [
        {"column": name, "before": old[name].type.value, "after": new[name].type.value}
        for name in common
        if old[name].type is not new[name].type
    ]
    columns = [_column(old[name], new[name], before[1], after[1]) for name in common]
    columns.sort(key=lambda one: -(one["distance"] or 0.0))
    found = {
        "rows": {"before": before[1]["rows"], "after": after[1]["rows"]},
        "schema": {
            "added": [name for name in new if name not in old],
            "removed": [name for name in old if name not in new],
            "retyped": retyped,
        },
        "columns": columns,
    }
    return found | {"words": _words(found)}


def _column(old: Column, new: Column, before: Profile, after: Profile) -> dict[str, Any]:
    one, other = before["columns"].get(old.name, {}), after["columns"].get(old.name, {})
    shares = (_missing(one, before["rows"]), _missing(other, after["rows"]))
    told: dict[str, Any] = {
        "column": old.name,
        "type": new.type.value,
        "missing": {"before": shares[0], "after": shares[1]},
        "distinct": {"before": one.get("distinct"), "after": other.get("distinct")},
        "distance": None,
        "verdict": "unknown",
    }
    if old.personal or new.personal:
        return told | {"verdict": "personal"}
    kinds = {old.type, new.type}
    if kinds <= NUMBER_TYPES:
        told |= _numbers(one, other)
    elif kinds == {ColumnType.category}:
        told |= _categories(old, new, one, other)
    elif kinds == {ColumnType.date}:
        told |= {fact: {"before": one.get(fact), "after": other.get(fact)} for fact in ("min", "max")}
    if told["distance"] is not None:
        told["verdict"] = _verdict(told["distance"])
    return told


def _missing(profile: Profile, rows: int) -> float:
    return float(profile.get("missing") or 0) / max(rows, 1)


def _verdict(distance: float) -> str:
    return "strongly changed" if distance >= STRONGLY else "changed" if distance >= CHANGED else "alike"


def _numbers(one: Profile, other: Profile) -> dict[str, Any]:
    told: dict[str, Any] = {
        fact: {"before": one.get(fact), "after": other.get(fact)} for fact in ("mean", "std", "min", "max")
    }
    told["quantiles"] = {"before": one.get("quantiles", {}), "after": other.get("quantiles", {})}
    if not (_known(one) and _known(other)):
        return told
    places = np.unique([*one["histogram"]["edges"], *other["histogram"]["edges"], one["max"], other["max"]])
    gaps = np.abs(_cumulative(one, places) - _cumulative(other, places))
    edges = one["histogram"]["edges"]
    return told | {
        "distance": round(float(gaps.max()), 4),
        "bins": {
            "edges": edges,
            "before": _binned(_cumulative(one, np.array(edges))),
            "after": _binned(_cumulative(other, np.array(edges))),
        },
    }


def _known(profile: Profile) -> bool:
    histogram = profile.get("histogram") or {}
    return "edges" in histogram and profile.get("min") is not None and sum(histogram["counts"]) > 0


def _cumulative(profile: Profile, places: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Return the share of the values up to each place."""
    counts = np.asarray(profile["histogram"]["counts"], dtype="float64")
    shares = np.concatenate([[0.0], np.cumsum(counts) / counts.sum()])
    inner = np.clip(profile["histogram"]["edges"], profile["min"], profile["max"])
    ends = np.concatenate([[profile["min"]], inner, [profile["max"]]])
    # Of places that coincide the last one counts: a bin without width is a step.
    last = np.append(np.diff(ends) > 0, True)
    found: npt.NDArray[np.float64] = np.interp(places, ends[last], shares[last], left=0.0, right=1.0)
    return found


def _binned(cumulative: npt.NDArray[np.float64]) -> list[float]:
    return [round(float(share), 6) for share in np.diff(np.concatenate([[0.0], cumulative, [1.0]]))]


def _categories(old: Column, new: Column, one: Profile, other: Profile) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if len(new.categories) < MAX_CATEGORIES and len(old.categories) < MAX_CATEGORIES:
        gone, come = set(old.categories), set(new.categories)
        told["new"] = [name for name in new.categories if name not in gone][:MOST_NAMES]
        told["vanished"] = [name for name in old.categories if name not in come][:MOST_NAMES]
    first, second = _shares(one), _shares(other)
    if not first or not second:
        return told
    names = [*first, *(name for name in second if name not in first)]
    gap = sum(abs(first.get(name, 0.0) - second.get(name, 0.0)) for name in names) / 2
    return told | {
        "distance": round(gap, 4),
        "bins": {
            "categories": [name for name in names if name is not None],
            "before": [round(first.get(name, 0.0), 6) for name in names],
            "after": [round(second.get(name, 0.0), 6) for name in names],
        },
    }


def _shares(profile: Profile) -> dict[str | None, float]:
    """Return each listed category's share; under None that of all others."""
    histogram = profile.get("histogram") or {}
    counted: dict[str | None, int] = dict(
        zip(histogram.get("categories", []), histogram.get("counts", []), strict=True)
    )
    counted[None] = histogram.get("other", 0)
    total = sum(counted.values())
    return {name: count / total for name, count in counted.items()} if total else {}


def _words(found: Mapping[str, Any]) -> list[str]:
    """Return sentences on what stands out."""
    rows, schema = found["rows"], found["schema"]
    more = rows["after"] - rows["before"]
    told = [f"{abs(more):,} rows {'more' if more > 0 else 'fewer'}." if more else "The same number of rows."]
    told += [f"New columns: {_listed(schema['added'])}."] if schema["added"] else []
    told += [f"Columns that are gone: {_listed(schema['removed'])}."] if schema["removed"] else []
    told += [f"{one['column']} was {one['before']} and is {one['after']}." for one in schema["retyped"]]
    for column in found["columns"]:
        told += _column_words(column)
    if len(told) == 1 and not more:
        told.append("No column differs noticeably.")
    return told


def _column_words(column: Mapping[str, Any]) -> list[str]:
    name, told = column["column"], []
    if column["verdict"] in {"changed", "strongly changed"}:
        moved = ""
        if column.get("mean", {}).get("before") is not None and column["mean"]["after"] is not None:
            moved = f": mean {column['mean']['before']:.4g} before, {column['mean']['after']:.4g} after"
        told.append(f"{name} has {column['verdict']} (distance {column['distance']:.2f}){moved}.")
    old, new = column["missing"]["before"], column["missing"]["after"]
    if abs(new - old) >= 0.02:
        told.append(f"{name} is missing in {new:.1%} of the rows; before it was {old:.1%}.")
    if column.get("new"):
        told.append(f"New values of {name}: {_listed(column['new'])}.")
    if column.get("vanished"):
        told.append(f"Values of {name} that are gone: {_listed(column['vanished'])}.")
    return told


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
