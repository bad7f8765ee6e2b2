"""Treating personal columns: the one place that decides what is kept of them.

Training reads the true values and a model is asked with them. Whatever is stored beside the dataset's own
file, or leaves the platform, went through a ``Treater`` before.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
from msgspec.structs import replace

from registry.privacy.pseudonyms import pseudonym
from registry.tabular.columns import Column, ColumnType, Treatment
from registry.tabular.groups import MISSING, NUMBERS, Groups, numbered
from registry.tabular.labels import as_text

Marks = Mapping[str, Treatment]
COUNTS_ALONE = ("type", "missing", "distinct")  # what a personal column's profile may tell

# Lists of an evaluation that name values of a column, and where each entry names the column.
TELLING_PARTS = {"slices": "column", "gaps": "column", "dependence": "feature"}


def marks_of(columns: Iterable[Column]) -> dict[str, Treatment]:
    """Return the treatment of each personal column."""
    return {column.name: column.personal for column in columns if column.personal is not None}


def stricter(*several: Marks) -> dict[str, Treatment]:
    """Return all marks; a column that is dropped anywhere is dropped."""
    merged: dict[str, Treatment] = {}
    for marks in several:
        for name, treatment in marks.items():
            merged[name] = Treatment.drop if Treatment.drop in {treatment, merged.get(name)} else treatment
    return merged


@dataclass(frozen=True)
class Treater:
    """Applies ``marks`` with a tenant's key. Treating twice is the same as treating once."""

    marks: Marks
    key: bytes = field(repr=False)

    def row(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """Return the row with pseudonyms, and without what is to be dropped; missing stays missing."""
        return {
            name: value if value is None or name not in self.marks else pseudonym(value, self.key)
            for name, value in row.items()
            if self.marks.get(name) is not Treatment.drop
        }

    def series(self, values: "pd.Series[Any]") -> "pd.Series[Any]":
        """Return the values as pseudonyms; missing stays missing."""
        text = as_text(values)
        known = {value: pseudonym(value, self.key) for value in text.dropna().unique()}
        return text.map(known).astype("str")

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return a copy of the table with pseudonyms, and without what is to be dropped."""
        kept = frame[[name for name in frame.columns if self.marks.get(name) is not Treatment.drop]].copy()
        for name in kept.columns.intersection(list(self.marks)):
            kept[name] = self.series(kept[name])
        return kept

    def columns(self, columns: Iterable[Column]) -> list[Column]:
        """Return the schema with the marks in it; a personal column's categories are left out."""
        return [
            replace(column, personal=self.marks[column.name], categories=())
            if column.name in self.marks
            else replace(column, personal=None)
            for column in columns
        ]

    def profile(self, profile: Mapping[str, Any]) -> dict[str, Any]:
        """Return a dataset's profile with counts alone of personal columns, which correlate with nothing."""
        columns = {name: self._summary(name, one) for name, one in profile["columns"].items()}
        treated = {**profile, "columns": columns}
        if "correlations" in profile:
            treated["correlations"] = self._correlations(profile["correlations"])
        return treated

    def _correlations(self, found: Mapping[str, Any]) -> dict[str, Any]:
        kept = [place for place, name in enumerate(found["columns"]) if name not in self.marks]

        def chosen(matrix: Any) -> list[list[float | None]]:
            return [[matrix[row][column] for column in kept] for row in kept]

        matrices = {one: chosen(found[one]) for one in ("pearson", "spearman")}
        return {**found, "columns": [found["columns"][place] for place in kept], **matrices}

    def histograms(self, histograms: Mapping[str, Any]) -> dict[str, Any]:
        """Return the histograms by column, without those that personal columns cannot have."""
        treated = {name: self.histogram(name, one) for name, one in histograms.items()}
        return {name: one for name, one in treated.items() if one is not None}

    def histogram(self, name: str, histogram: Mapping[str, Any]) -> dict[str, Any] | None:
        """Return the histogram with pseudonyms for its categories; None where the bins would tell values."""
        if name not in self.marks:
            return dict(histogram)
        if self.marks[name] is Treatment.drop or "categories" not in histogram:
            return None
        names = [pseudonym(category, self.key) for category in histogram["categories"]]
        return {**histogram, "categories": names}

    def evaluation(self, evaluation: Mapping[str, Any]) -> dict[str, Any]:
        """Return what was measured of a version, without the parts that tell a personal column's values.

        A part that was told as the mark asks, or more strictly, stays.
        """
        told = {
            part: [one for one in evaluation[part] if self._may_stay(one, one[name])]
            for part, name in TELLING_PARTS.items()
            if part in evaluation
        }
        return {**evaluation, **told}

    def groups(self, name: str, kind: ColumnType, groups: Groups) -> Groups:
        """Return the groups of a column's rows (see ``groups_of``) under names that may be told.

        Pseudonyms where the mark asks for them, missing staying missing. Numbers where the column is to be
        dropped, and where ranges of numbers would tell values.
        """
        if name not in self.marks:
            return groups
        if self.marks[name] is Treatment.drop or kind in NUMBERS:
            return numbered(groups)
        return {
            value if value == MISSING else pseudonym(value, self.key): rows for value, rows in groups.items()
        }

    def _may_stay(self, part: Mapping[str, Any], name: str) -> bool:
        mark = self.marks.get(name)
        return mark is None or part.get("personal") in {mark, Treatment.drop}

    def _summary(self, name: str, summary: Mapping[str, Any]) -> dict[str, Any]:
        if name not in self.marks:
            return dict(summary)
        kept = {fact: summary[fact] for fact in COUNTS_ALONE if fact in summary}
        histogram = self.histogram(name, summary["histogram"]) if summary.get("histogram") else None
        return kept | ({"histogram": histogram} if histogram else {})


UNMARKED = Treater({}, b"")  # treats nothing
