"""Ladders of generalisation: from a column's own values, level by level, to ``*``.

Numbers become ranges (about 20, 10, 5 and 2 of them, of equal counts), dates become days, months, quarters,
years and decades, and of categories the rare ones are grouped under ``other``.
"""

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.coercion import read_dates
from registry.tabular.columns import NUMBER_TYPES, ColumnType
from registry.tabular.labels import as_text

TOP, OTHER = "*", "other"
PARTS = (20, 10, 5, 2)
KEPT = (50, 20, 10, 5, 2)  # categories that stay, by level
DATES = (
    lambda moments: moments.dt.strftime("%Y-%m-%d"),
    lambda moments: moments.dt.strftime("%Y-%m"),
    lambda moments: moments.dt.strftime("%Y-Q") + moments.dt.quarter.astype("Int64").astype("str"),
    lambda moments: moments.dt.strftime("%Y"),
    lambda moments: (moments.dt.year // 10 * 10).astype("Int64").astype("str") + "s",
)


class Ladder(ABC):
    """A column on its way up; ``values`` are those of the present ``level``, 0 the column's own."""

    height: int  # levels between the own values and the top
    floor = 0  # the first level at which no single value can be read off

    def __init__(self, values: "pd.Series[Any]") -> None:
        self.own = values
        self.values = values
        self.level = 0

    @property
    def at_top(self) -> bool:
        """Whether every value is ``*`` already."""
        return self.level > self.height

    @property
    def loss(self) -> float:
        """The share of the ladder that was climbed."""
        return self.level / (self.height + 1)

    @property
    def distinct(self) -> int:
        """How many different values there are now."""
        return int(self.values.nunique(dropna=False))

    def climb_to(self, level: int) -> None:
        """Go up at least to this level."""
        while self.level < level:
            self.climb()

    def climb(self) -> None:
        """Go one level up."""
        self.level += 1
        if self.at_top:
            self.values = pd.Series(TOP, index=self.own.index, dtype="str")
        else:
            self.values = self.at(self.level).where(self.own.notna(), None).astype("str")

    @abstractmethod
    def at(self, level: int) -> "pd.Series[Any]":
        """Return the values of a level between 1 and ``height``; what is missing may be anything."""


class Numbers(Ladder):
    """Ranges of about the same number of rows, between round numbers; the outer ones are open."""

    height = len(PARTS)
    floor = 1

    def at(self, level: int) -> "pd.Series[Any]":
        """Return ranges of this many parts."""
        numbers = pd.to_numeric(self.own, errors="coerce").astype("float64")
        present: npt.NDArray[np.float64] = np.asarray(numbers.dropna(), dtype="float64")
        edges = _round_edges(present, PARTS[level - 1])
        names = np.array(_range_names(edges), dtype=object)
        places = np.searchsorted(edges, numbers.to_numpy(), side="left")
        return pd.Series(names[places], index=numbers.index)


class Dates(Ladder):
    """Days, months, quarters, years, decades."""

    height = len(DATES)
    floor = 2

    def at(self, level: int) -> "pd.Series[Any]":
        """Return the dates this coarse."""
        moments = read_dates(self.own)
        coarse: pd.Series[Any] = DATES[level - 1](moments)
        return coarse.where(moments.notna(), OTHER)


class Categories(Ladder):
    """The most frequent values stay, the rare ones are grouped."""

    height = len(KEPT)

    def at(self, level: int) -> "pd.Series[Any]":
        """Return the values with the rare ones as ``other``."""
        text = as_text(self.own)
        counts = text.value_counts()
        ordered = sorted(counts.items(), key=lambda item: (-int(item[1]), str(item[0])))
        frequent = {str(value) for value, _ in ordered[: KEPT[level - 1]]}
        return text.where(text.isin(frequent), OTHER)


def ladder_of(values: "pd.Series[Any]", kind: ColumnType) -> Ladder:
    """Return the ladder that fits the kind of column."""
    if kind in NUMBER_TYPES and kind is not ColumnType.boolean:
        return Numbers(values)
    return Dates(values) if kind is ColumnType.date else Categories(values)


def _round_edges(numbers: npt.NDArray[np.float64], parts: int) -> npt.NDArray[np.float64]:
    """Return the inner ends of the ranges, each rounded to about a fiftieth of the spread."""
    with np.errstate(over="ignore"):  # the distance of two huge numbers may be none
        spread = float(np.ptp(numbers)) if numbers.size else 0.0
    if not spread or not np.isfinite(spread):
        return np.zeros(0)
    edges = np.quantile(numbers, np.linspace(0, 1, parts + 1)[1:-1], method="lower")
    with np.errstate(all="ignore"):  # at the ends of what a float can hold, nothing is rounded
        step = 10.0 ** np.floor(np.log10(spread / 50))
        rounded = np.round(edges / step) * step
    inner = np.unique(np.where(np.isfinite(rounded), rounded, edges))
    below_the_largest: npt.NDArray[np.float64] = inner[inner < numbers.max()]
    return below_the_largest


def _range_names(edges: npt.NDArray[np.float64]) -> list[str]:
    if not edges.size:
        return [TOP]
    ends = [f"{edge:.10g}" for edge in edges]
    inner = [f"over {low} to {high}" for low, high in pairwise(ends)]
    return [f"up to {ends[0]}", *inner, f"over {ends[-1]}"]
