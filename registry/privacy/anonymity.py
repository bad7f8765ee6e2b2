"""How identifying a table is, and making it less so: k-anonymity by generalisation and suppression.

Rows that agree in all quasi-identifiers (what others may know of a person: birth date, postcode, sex) form a
group. A table is k-anonymous where no group is smaller than k, and l-diverse where every group holds at least
l different values of a sensitive column.

Sources: L. Sweeney, "k-anonymity: a model for protecting privacy" (2002), for the measure and the idea;
A. Machanavajjhala et al., "l-diversity: privacy beyond k-anonymity" (2007), for distinct l-diversity.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.privacy.generalisation import Ladder, ladder_of
from registry.tabular.columns import Column

TOLERATED = 0.05  # of the rows may be suppressed before columns are generalised further


@dataclass(frozen=True)
class Identifiability:
    """How identifying a table is: ``k`` is its smallest group, ``unique_rows`` those alone in theirs."""

    rows: int
    groups: int
    k: int
    unique_rows: int
    l_diversity: int | None

    @property
    def unique_share(self) -> float:
        """The share of rows that nobody else's row equals."""
        return self.unique_rows / self.rows if self.rows else 0.0


@dataclass(frozen=True)
class Anonymised:
    """A table made k-anonymous, and what that cost.

    ``levels`` says how far each quasi-identifier was generalised, 0 meaning not at all; ``loss`` is the mean
    share of the precision that was given up over the kept cells, from 0 to 1 (Sweeney's Prec, from 1).
    """

    frame: pd.DataFrame
    achieved: Identifiability
    suppressed: int
    levels: dict[str, int]
    loss: float


def identifiability(
    frame: pd.DataFrame, quasi: Sequence[str], sensitive: str | None = None
) -> Identifiability:
    """Measure the table. Missing is a value of its own; without quasi-identifiers all rows agree."""
    groups = group_numbers(frame, quasi)
    sizes = np.bincount(groups) if len(groups) else np.zeros(0, dtype=np.int64)
    diversity = None
    if sensitive is not None and len(frame):
        values = frame[sensitive].astype(object).where(frame[sensitive].notna(), None)
        diversity = int(pd.Series(values.to_numpy()).groupby(groups).nunique(dropna=False).min())
    return Identifiability(
        rows=len(frame),
        groups=len(sizes),
        k=int(sizes.min()) if len(sizes) else 0,
        unique_rows=int((sizes == 1).sum()),
        l_diversity=diversity,
    )


def anonymise(
    frame: pd.DataFrame, columns: Sequence[Column], *, k: int, sensitive: str | None = None
) -> Anonymised:
    """Generalise the quasi-identifiers ``columns`` step by step, then drop the rows of groups below ``k``.

    In each step the column with the most distinct values left is generalised by one level (Datafly), until
    at most 5 % of the rows stand in groups that are too small or nothing can be generalised further. Those
    rows are left out. Numbers and dates of personal columns are ranges and months at least. Every group of
    the result has at least ``k`` rows, and so has the result, or none.
    """
    ladders = [ladder_of(frame[column.name], column.type) for column in columns]
    for ladder, column in zip(ladders, columns, strict=True):
        ladder.climb_to(ladder.floor if column.personal else 0)
    names = [column.name for column in columns]
    result = frame.copy()
    while True:
        for name, ladder in zip(names, ladders, strict=True):
            result[name] = ladder.values
        small = _in_small_groups(result, names, k)
        next_up = _coarsest_first(ladders)
        if next_up is None or small.sum() <= TOLERATED * len(frame):
            break
        next_up.climb()
    kept = result[~small].reset_index(drop=True)
    return Anonymised(
        frame=kept,
        achieved=identifiability(kept, names, sensitive),
        suppressed=int(small.sum()),
        levels={name: ladder.level for name, ladder in zip(names, ladders, strict=True)},
        loss=float(np.mean([ladder.loss for ladder in ladders])) if ladders else 0.0,
    )


def group_numbers(frame: pd.DataFrame, names: Sequence[str]) -> npt.NDArray[np.int64]:
    """Return the number of each row's group, from 0."""
    groups = np.zeros(len(frame), dtype=np.int64)
    for name in names:
        codes, _ = pd.factorize(frame[name], use_na_sentinel=False)
        # Numbered anew after each column, so that the products stay small.
        _, groups = np.unique(groups * (int(codes.max(initial=0)) + 1) + codes, return_inverse=True)
    return groups


def _in_small_groups(frame: pd.DataFrame, names: Sequence[str], k: int) -> npt.NDArray[np.bool_]:
    groups = group_numbers(frame, names)
    small: npt.NDArray[np.bool_] = np.bincount(groups)[groups] < k if len(groups) else groups < 0
    return small


def _coarsest_first(ladders: Sequence[Ladder]) -> Ladder | None:
    climbable = [ladder for ladder in ladders if not ladder.at_top]
    return max(climbable, key=lambda ladder: ladder.distinct, default=None)


def as_facts(found: Identifiability) -> dict[str, Any]:
    """Return the figures as plain JSON."""
    return {
        "rows": found.rows,
        "groups": found.groups,
        "k": found.k,
        "unique_rows": found.unique_rows,
        "unique_share": round(found.unique_share, 4),
        "l_diversity": found.l_diversity,
    }
