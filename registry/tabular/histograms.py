"""Histograms whose bins are fixed by a reference and on which later data is counted.

A numeric histogram has inner cut points ``edges`` and ``len(edges) + 1`` counts: a value falls into bin i if
exactly i edges are smaller than it, so the outer bins are open. A category histogram has named bins and
``other``. Both count missing values apart.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.coercion import is_plain_number
from registry.tabular.columns import NUMBER_TYPES, ColumnType
from registry.tabular.inference import frequent_values
from registry.tabular.labels import as_text

Histogram = dict[str, Any]

TOP_CATEGORIES = 50
DECILES = tuple(np.linspace(0.1, 0.9, 9))
FEW_VALUES = 20


def numeric_edges(values: npt.NDArray[np.float64]) -> list[float]:
    """Cut points for finite reference values: between the values where few, else at the deciles.

    A value so frequent that it fills several deciles gets a bin of its own; otherwise a move away from it,
    say from 95 % ones to 50 %, would not be seen. A constant gets a bin of its own.
    """
    return _edges(np.sort(values))


def _edges(ordered: npt.NDArray[np.float64]) -> list[float]:
    distinct = distinct_of(ordered)
    if distinct.size == 0:
        return []
    if distinct.size == 1:
        return sorted({_just_below(distinct[0]), float(distinct[0])})
    if distinct.size <= FEW_VALUES:
        return [float(edge) for edge in _between(distinct)]
    deciles = occurring_quantiles(ordered, DECILES)
    repeated = deciles[:-1][np.diff(deciles) == 0]
    edges = np.unique(np.concatenate([deciles, [_just_below(value) for value in np.unique(repeated)]]))
    inside = (edges >= distinct[0]) & (edges < distinct[-1])
    return [float(edge) for edge in edges[inside]]


def distinct_of(ordered: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The different ones of sorted values."""
    return ordered[np.concatenate([[True], ordered[1:] != ordered[:-1]])] if ordered.size else ordered


def occurring_quantiles(ordered: npt.NDArray[np.float64], shares: Sequence[float]) -> npt.NDArray[np.float64]:
    """Quantiles of sorted values as numpy's method ``lower`` has them: values that occur; none overflows."""
    found: npt.NDArray[np.float64] = ordered[np.floor((ordered.size - 1) * np.asarray(shares)).astype(int)]
    return found


def _between(distinct: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    # Halving first keeps the sum of two huge values finite.
    return distinct[:-1] / 2 + distinct[1:] / 2


def _just_below(value: float) -> float:
    with np.errstate(over="ignore"):  # nothing finite lies below the smallest float
        return max(float(np.nextafter(value, -np.inf)), float(np.finfo("float64").min))


def numeric_histogram(values: "pd.Series[Any] | npt.NDArray[np.float64]") -> Histogram:
    """The reference histogram of numbers."""
    return sorted_histogram(np.sort(_finite(values)), len(values))


def sorted_histogram(ordered: npt.NDArray[np.float64], rows: int) -> Histogram:
    """The reference histogram of finite numbers that are in order already, of so many rows."""
    edges = _edges(ordered)
    below = np.searchsorted(ordered, np.asarray(edges, dtype="float64"), side="right")
    counts = np.diff(below, prepend=0, append=ordered.size)
    return {"edges": edges, "counts": [int(count) for count in counts], "missing": rows - ordered.size}


def histogram_of(values: "pd.Series[Any]", kind: ColumnType) -> Histogram | None:
    """The reference histogram of a column's canonical values; None for a kind that has none."""
    if kind in NUMBER_TYPES:
        return numeric_histogram(values)
    return category_histogram(values) if kind is ColumnType.category else None


def category_histogram(values: "pd.Series[Any]") -> Histogram:
    """The reference histogram of a category series: its 50 most frequent values have a bin each."""
    text = as_text(values)
    return count_on({"categories": list(frequent_values(text, TOP_CATEGORIES))}, text)


def count_on(histogram: Histogram, values: "pd.Series[Any]") -> Histogram:
    """Count values on a stored histogram's bins; the answer has the same shape, and counts add up."""
    if "categories" in histogram:
        return _count_categories(list(histogram["categories"]), values)
    return _count_numbers(list(histogram["edges"]), values)


def width_of(histogram: Histogram) -> int:
    """Return how many bins there are with those for other categories and for missing values."""
    return len(histogram["categories"]) + 2 if "categories" in histogram else len(histogram["edges"]) + 2


def codes_on(histogram: Histogram, values: "pd.Series[Any]") -> npt.NDArray[np.int64]:
    """Return the bin of each value, (n,): of categories the last but one is for others, the last for missing.

    Counted by ``counts_of_codes``, they come to what ``count_on`` counts.
    """
    if "categories" in histogram:
        known = {str(name): place for place, name in enumerate(histogram["categories"])}
        codes, found = pd.factorize(as_text(values))
        bins = [known.get(str(name), len(known)) for name in found]
        return np.array([*bins, len(known) + 1], dtype="int64")[codes]  # a missing value's code is -1
    numbers = _numbers(values)
    edges = np.asarray(histogram["edges"], dtype="float64")
    places = np.searchsorted(edges, numbers, side="left")
    return np.where(np.isfinite(numbers), places, edges.size + 1)


def counts_of_codes(histogram: Histogram, counts: list[int]) -> Histogram:
    """Return the counts of ``codes_on``'s bins, (width,), without the bins themselves."""
    if "categories" in histogram:
        return {"counts": counts[:-2], "other": counts[-2], "missing": counts[-1]}
    return {"counts": counts[:-1], "missing": counts[-1]}


def added(one: Histogram, other: Histogram) -> Histogram:
    """Return the counts of two histograms on the same bins together."""
    return all_added([one, other])


def all_added(several: Sequence[Histogram]) -> Histogram:
    """Return the counts of one or more histograms on the same bins together."""
    first = several[0]
    counts: list[int] = np.array([one["counts"] for one in several]).sum(axis=0).tolist()
    sums: Histogram = {
        name: sum(one[name] for one in several) for name in ("other", "missing") if name in first
    }
    return {**first, "counts": counts, **sums}


def columns_added(known: Mapping[str, Histogram], found: Mapping[str, Histogram]) -> dict[str, Histogram]:
    """Return the histograms of both by column; a column that is in one alone is as it is there."""
    both = {name: added(known[name], found[name]) for name in known.keys() & found.keys()}
    return {**known, **found, **both}


def _count_numbers(edges: list[float], values: "pd.Series[Any]") -> Histogram:
    return _count_finite(edges, _finite(values), len(values))


def _count_finite(edges: list[float], finite: npt.NDArray[np.float64], rows: int) -> Histogram:
    bins = np.searchsorted(np.asarray(edges, dtype="float64"), finite, side="left")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    return {
        "edges": edges,
        "counts": [int(count) for count in counts],
        "missing": rows - finite.size,
    }


def _count_categories(categories: list[str], values: "pd.Series[Any]") -> Histogram:
    found = as_text(values).value_counts()
    counts = [int(found.get(category, 0)) for category in categories]
    present = int(found.sum())
    return {
        "categories": categories,
        "counts": counts,
        "other": present - sum(counts),
        "missing": int(len(values) - present),
    }


def _finite(values: "pd.Series[Any] | npt.NDArray[np.float64]") -> npt.NDArray[np.float64]:
    numbers = _numbers(values)
    finite: npt.NDArray[np.float64] = numbers[np.isfinite(numbers)]
    return finite


def _numbers(values: "pd.Series[Any] | npt.NDArray[np.float64]") -> npt.NDArray[np.float64]:
    if not isinstance(values, pd.Series):
        return values
    plain = values if is_plain_number(values) else pd.to_numeric(values, errors="coerce")
    return plain.to_numpy(dtype="float64", na_value=np.nan)
