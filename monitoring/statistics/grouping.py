"""Counting rows that belong to several groups at once: a row to its hour, and to each of its slices."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Places = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Groups:
    """Groups of rows by their positions; a row may be in several groups, or in none.

    ``rows`` and ``of`` are (N,): a position, and the group that it belongs to.
    """

    members: Sequence[Places]
    rows: Places
    of: Places

    @classmethod
    def made_of(cls, members: Sequence[Places]) -> "Groups":
        """Return the groups with these members."""
        rows = np.concatenate([*members, np.zeros(0, dtype="int64")])
        return cls(members, rows, np.repeat(np.arange(len(members)), [len(one) for one in members]))

    def table(self, codes: Places, width: int) -> Places:
        """Count the rows' codes, (n,) in [0, width), by group: (groups, width)."""
        flat = self.of * width + codes[self.rows]
        counts: Places = np.bincount(flat, minlength=len(self.members) * width)
        return counts.reshape(len(self.members), width)

    def count(self, marked: npt.NDArray[np.bool_]) -> Places:
        """Count the marked rows, (n,), by group: (groups,)."""
        counts: Places = np.bincount(self.of[marked[self.rows]], minlength=len(self.members))
        return counts

    def total(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Add up the rows' values, (n,), by group: (groups,)."""
        sums: npt.NDArray[np.float64] = np.bincount(
            self.of, values[self.rows], minlength=len(self.members)
        ).astype("float64")
        return sums
