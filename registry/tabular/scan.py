"""Schema and profile of a table that is read in parts, for tables that do not fit into memory.

What is counted (rows, gaps, histograms, least and greatest values, means) is exact. What would need all
values at once (types, the cut points of histograms, quantiles, which categories are listed) comes from
evenly spread sample rows; the number of different values is exact up to some thousands and then an estimate.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from msgspec.structs import replace

from registry.tabular.coercion import coerce_column
from registry.tabular.columns import NUMBER_TYPES, Column, ColumnType
from registry.tabular.correlations import correlations
from registry.tabular.distinct import DistinctCounter
from registry.tabular.errors import SchemaMismatch
from registry.tabular.histograms import Histogram, added, count_on
from registry.tabular.inference import Counted, infer_schema, refuse_misfits
from registry.tabular.labels import as_text
from registry.tabular.profile import profile_column, profile_frame

SAMPLE_ROWS = 200_000
SAMPLE_CELLS = 4_000_000
Types = Mapping[str, ColumnType]
Parts = Callable[[], Iterable[pd.DataFrame]]


def describe(frame: pd.DataFrame, types: Types | None = None) -> tuple[list[Column], dict[str, Any]]:
    """Return the schema and the profile, correlations included, of a table in memory.

    ``types`` are those that somebody chose. Raises SchemaMismatch where a column's values are not of that
    type.
    """
    columns = infer_schema(frame, types=types)
    return columns, profile_frame(frame, columns) | correlations(frame, columns)


def describe_parts(
    parts: Parts, rows: int, types: Types | None = None
) -> tuple[list[Column], dict[str, Any]]:
    """Do the same for a table of ``rows`` rows that need not fit into memory.

    ``parts`` gives the table from its beginning each time it is called: it is read two or three times. The
    profile's ``sample_rows`` tells how many rows the sampled facts come from.
    """
    sample, counted = _sampled(parts, rows)
    columns = infer_schema(sample, types=types, counted=counted)
    while True:
        try:
            scans = [_ColumnScan(one, sample[one.name], one.name in (types or {})) for one in columns]
            return _profiled(parts, rows, sample, scans, counted)
        except _WrongType as wrong:  # in the sample it looked like numbers
            if chosen := wrong.names & set(types or {}):
                raise SchemaMismatch(
                    f"Not all values of {', '.join(sorted(chosen))} are of the type chosen. Choose another.",
                    fields=dict.fromkeys(chosen, "Values are not of this type."),
                ) from wrong
            columns = [
                replace(column, type=_type_of_text(counted[column.name]))
                if column.name in wrong.names
                else column
                for column in columns
            ]


def _sampled(parts: Parts, rows: int) -> tuple[pd.DataFrame, dict[str, Counted]]:
    counters: dict[str, DistinctCounter] = {}
    present: dict[str, int] = {}
    kept: list[pd.DataFrame] = []
    seen, step = 0, 1
    for part in parts():
        if not kept:
            most = max(1, min(SAMPLE_ROWS, SAMPLE_CELLS // max(len(part.columns), 1)))
            step = max(1, -(-rows // most))
        kept.append(part.iloc[-seen % step :: step].copy())  # a view would keep the whole part in memory
        seen += len(part)
        for name in part.columns:
            counters.setdefault(name, DistinctCounter()).add(part[name])
            present[name] = present.get(name, 0) + int(part[name].notna().sum())
    counted = {name: Counted(present[name], counter.count) for name, counter in counters.items()}
    return pd.concat(kept, ignore_index=True), counted


class _WrongType(Exception):
    def __init__(self, names: set[str]) -> None:
        super().__init__()
        self.names = names


def _type_of_text(counted: Counted) -> ColumnType:
    many = counted.distinct > counted.present / 2
    return ColumnType.identifier if many else ColumnType.category


def _profiled(
    parts: Parts, rows: int, sample: pd.DataFrame, scans: "Sequence[_ColumnScan]", counted: dict[str, Counted]
) -> tuple[list[Column], dict[str, Any]]:
    for part in parts():
        wrong = {one.column.name for one in scans if not one.add(part[one.column.name])}
        if wrong:
            raise _WrongType(wrong)
    described = {one.column.name: one.profile(counted[one.column.name].distinct) for one in scans}
    found = {"rows": rows, "sample_rows": len(sample), "columns": described}
    return [one.described() for one in scans], found | correlations(sample, [one.column for one in scans])


class _ColumnScan:
    """What all parts tell of one column, begun with what its sample tells."""

    def __init__(self, column: Column, sample: "pd.Series[Any]", chosen: bool) -> None:
        self.column, self.chosen = column, chosen
        self.summary = profile_column(coerce_column(sample, column), column)
        self.rows = self.missing = 0
        self.moments = _Moments()
        self.histogram: Histogram | None = None
        self.categories = np.zeros(len(column.categories), dtype=np.int64)

    def add(self, values: "pd.Series[Any]") -> bool:
        """Take one part's values; False where they are not of the column's type."""
        try:
            canonical = coerce_column(values, self.column)
            if self.chosen:
                refuse_misfits(values, canonical, self.column)
        except SchemaMismatch:
            return False
        text = as_text(canonical) if self.column.type is ColumnType.ignored else canonical
        self.rows += len(values)
        self.missing += int(text.isna().sum())
        if "histogram" in self.summary:
            part = count_on(self.summary["histogram"], canonical)
            self.histogram = part if self.histogram is None else added(self.histogram, part)
        if self.column.type in NUMBER_TYPES:
            self.moments.add(canonical.to_numpy(dtype="float64"))
        elif self.column.type is ColumnType.date:
            self.moments.span(canonical.dropna())
        elif self.column.categories:
            found = canonical.value_counts()
            self.categories += found.reindex(list(self.column.categories)).fillna(0).to_numpy(dtype=np.int64)
        return True

    def described(self) -> Column:
        """Return the column with what is known of all rows; the most frequent category first."""
        names = self.column.categories
        order = sorted(range(len(names)), key=lambda place: (-int(self.categories[place]), names[place]))
        ordered = tuple(names[place] for place in order)
        return replace(self.column, nullable=bool(self.missing), categories=ordered)

    def profile(self, distinct: int) -> dict[str, Any]:
        """Return the profile with exact figures in place of the sample's."""
        found = self.summary | {"missing": self.missing, "distinct": distinct}
        if self.histogram is not None:
            found["histogram"] = self.histogram
        if self.column.type in NUMBER_TYPES:
            return found | self.moments.figures()
        if self.column.type is ColumnType.date:
            least, greatest = self.moments.least, self.moments.greatest
            return found | {"min": _iso(least), "max": _iso(greatest)}
        return found


class _Moments:
    """Mean and spread of parts, joined as Chan, Golub and LeVeque (1979) do; least and greatest value."""

    def __init__(self) -> None:
        self.count, self.mean, self.squares = 0, 0.0, 0.0
        self.least: Any = None
        self.greatest: Any = None

    def add(self, floats: npt.NDArray[np.float64]) -> None:
        numbers = floats[~np.isnan(floats)]
        if not numbers.size:
            return
        with np.errstate(over="ignore", invalid="ignore"):
            mean = float(numbers.mean())
            total = self.count + numbers.size
            away = mean - self.mean
            self.squares += (
                float(np.square(numbers - mean).sum()) + away**2 * self.count * numbers.size / total
            )
            self.mean += away * numbers.size / total
        self.count = total
        self.span(pd.Series(numbers))

    def span(self, values: "pd.Series[Any]") -> None:
        if values.empty:
            return
        least, greatest = values.min(), values.max()
        self.least = least if self.least is None else min(self.least, least)
        self.greatest = greatest if self.greatest is None else max(self.greatest, greatest)

    def figures(self) -> dict[str, Any]:
        if not self.count:
            return {"mean": None, "std": None, "min": None, "max": None}
        spread = float(np.sqrt(self.squares / self.count))
        return {
            "mean": self.mean if np.isfinite(self.mean) else None,
            "std": spread if np.isfinite(spread) else None,
            "min": float(self.least),
            "max": float(self.greatest),
        }


def _iso(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat())
