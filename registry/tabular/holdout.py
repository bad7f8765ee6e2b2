"""Which rows are held out from training: decided by a row's content alone.

The same row lands on the same side in every dataset that contains it, whatever else that contains and in
whatever order, and so do duplicates. So two versions trained months apart can be compared on rows that
neither has seen.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.problems.detection import detect_problem
from registry.tabular.errors import TooFewRows
from registry.tabular.labels import as_text

Mask = npt.NDArray[np.bool_]
Hashes = npt.NDArray[np.uint64]

MIN_HOLDOUT_ROWS = 5
HASH_RANGE = 2.0**64


def holdout_mask(frame: pd.DataFrame, target: str, share: float = 0.2) -> Mask:
    """True for rows to hold out, about ``share`` of them: those whose hash is small.

    Where that alone would not do (fewer than five rows held out, a class missing from training, or a class of
    five rows or more missing from the hold-out), the smallest hashes of each such class are taken instead.
    These few rows may change sides when rows are added.

    Args:
        frame: features and target.
        target: the name of the target; empty where there is none.
        share: of the rows, between 0 and 1.

    Raises:
        TooFewRows: fewer than two different rows.
    """
    hashes = row_hashes(frame, target)
    if not len(hashes) or (hashes == hashes[0]).all():
        raise TooFewRows("A hold-out needs at least two different rows. Add rows to the dataset.")
    mask: Mask = hashes < share * HASH_RANGE
    groups = _groups(frame[target]) if target else np.zeros(len(frame), dtype="int64")
    everywhere = mask.all() or mask.sum() < min(MIN_HOLDOUT_ROWS, len(frame) // 2)
    for group in np.unique(groups):
        rows = np.flatnonzero(groups == group)
        held = int(mask[rows].sum())
        absent = held == 0 and len(rows) >= MIN_HOLDOUT_ROWS
        if everywhere or absent or held == len(rows):
            mask[rows] = _smallest(hashes[rows], share)
    return mask


def row_hashes(frame: pd.DataFrame, target: str) -> Hashes:
    """One hash per row; neither the order of rows and columns nor the storage type of a value matters."""
    columns = {name: canonical(frame[name]) for name in sorted(frame.columns, key=str) if name != target}
    # A target reported later as text ("1") is the same as the number first imported (1).
    if target:
        columns[target] = as_text(frame[target]).fillna("")
    hashed = pd.util.hash_pandas_object(pd.DataFrame(columns), index=False)
    return hashed.to_numpy().astype("uint64")


def canonical(values: "pd.Series[Any]") -> "pd.Series[Any]":
    """The values in a form that is the same whatever type they were stored in."""
    if pd.api.types.is_datetime64_any_dtype(values):
        moments: pd.Series[Any] = (
            pd.to_datetime(values, utc=True).astype("datetime64[us, UTC]").astype("int64")
        )
        return moments
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        numbers = values.to_numpy(dtype="float64", na_value=np.nan) + 0.0  # -0.0 becomes 0.0
        return pd.Series(np.where(np.isnan(numbers), np.nan, numbers), index=values.index)
    return as_text(values).fillna("")


def _groups(target: "pd.Series[Any]") -> npt.NDArray[np.int64]:
    if detect_problem(target) == "regression":
        return np.zeros(len(target), dtype="int64")
    codes: npt.NDArray[np.int64] = pd.factorize(as_text(target))[0].astype("int64")
    return codes


def _smallest(hashes: Hashes, share: float) -> Mask:
    """The ``share`` of smallest hashes, duplicates together; none where that would be all."""
    wanted = max(1, round(share * len(hashes)))
    threshold = np.sort(hashes)[min(wanted, len(hashes)) - 1]
    chosen: Mask = hashes <= threshold
    return np.zeros(len(hashes), dtype=bool) if chosen.all() else chosen
