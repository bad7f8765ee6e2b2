"""Counting different values without keeping them."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

SMALLEST = 1 << 14
HASHES = 2.0**64


class DistinctCounter:
    """Counts the different values of any number of parts; exact up to 16,384, then to within about 1 %.

    Keeps the smallest hashes alone: the more different values there are, the smaller is the k-th smallest
    (the estimator of Bar-Yossef et al. 2002; (k - 1) / U(k) is unbiased, Beyer et al. 2007).
    """

    def __init__(self) -> None:
        self._smallest: npt.NDArray[np.uint64] = np.empty(0, dtype=np.uint64)

    def add(self, values: "pd.Series[Any]") -> None:
        """Take one part's values; missing ones do not count."""
        present = values.dropna()
        if isinstance(present.dtype, np.dtype) and present.dtype.kind == "f":
            present = present + 0.0  # -0.0 and 0.0 are the same value
        if not isinstance(present.dtype, np.dtype):
            present = present.drop_duplicates()  # hashing text costs more than comparing it
        hashes = pd.util.hash_pandas_object(present, index=False).to_numpy(dtype=np.uint64)
        if self._smallest.size == SMALLEST:
            hashes = hashes[hashes < self._smallest[-1]]
        if hashes.size:
            self._smallest = np.union1d(self._smallest, _smallest(hashes))[:SMALLEST]

    @property
    def count(self) -> int:
        """How many there are, estimated where there are many."""
        if self._smallest.size < SMALLEST:
            return int(self._smallest.size)
        return round((SMALLEST - 1) / (float(self._smallest[-1]) / HASHES))


def _smallest(hashes: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return the smallest different hashes: of many, only those that can be among them are sorted."""
    enough = 2 * SMALLEST
    if hashes.size > 2 * enough:
        few: npt.NDArray[Any] = np.unique(hashes[hashes <= np.partition(hashes, enough)[enough]])
        if few.size >= SMALLEST:
            return few
    return np.unique(hashes)
