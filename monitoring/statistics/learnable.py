"""Columns of any kind in a form that a learner of scikit-learn takes, fixed by a reference."""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

MOST_CATEGORIES = 20
OTHER, MISSING = "other values", "missing"


@dataclass(frozen=True)
class LearnableColumns:
    """Numbers stay numbers; of categories the reference's most frequent are kept, the others are one.

    Of a column that the reference has no value of, only whether there is one is told.
    """

    categories: Mapping[str, tuple[str, ...]]
    names: tuple[str, ...]
    empty: frozenset[str]

    @classmethod
    def of(cls, reference: pd.DataFrame) -> "LearnableColumns":
        """Fix the columns and categories of an (n, d) frame."""
        others = [str(name) for name in reference if not pd.api.types.is_numeric_dtype(reference[name])]
        frequent = {
            name: tuple(map(str, reference[name].astype("str").value_counts().index[:MOST_CATEGORIES]))
            for name in others
        }
        empty = frozenset(str(name) for name in reference if reference[name].isna().all())
        return cls(frequent, tuple(map(str, reference.columns)), empty)

    def __call__(self, frame: pd.DataFrame) -> pd.DataFrame:
        """Return the (n, d) frame in the reference's columns; raises KeyError where one is not there."""
        found = frame[list(self.names)].copy()
        for name in self.empty:
            found[name] = found[name].notna().astype("float64")
        for name in self.categories.keys() - self.empty:
            kept = self.categories[name]
            text = found[name].astype("str").where(found[name].notna(), MISSING)
            known = text.where(text.isin([*kept, MISSING]), OTHER)
            found[name] = pd.Categorical(known, categories=sorted({*kept, OTHER, MISSING}))
        numbers = [name for name in self.names if name not in self.categories or name in self.empty]
        return found.astype(dict.fromkeys(numbers, "float64"))
