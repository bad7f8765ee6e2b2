"""Which rows are held out from training: decided by a row's content alone.

The same row lands on the same side in every later dataset that contains it, so two versions trained months apart
can be compared on rows that neither has seen.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.labels import as_text

MIN_HOLDOUT_ROWS = 5
_SPAN = float(2**64)


def holdout_mask(frame: pd.DataFrame, target: str, share: float = 0.2) -> npt.NDArray[np.bool_]:
    """True for rows to hold out, about ``share`` of them.

    Where a class would vanish from training, its rows with the largest hashes stay in; where fewer than five
    rows would be held out, those with the smallest hashes are (never more than half of the rows).
    """
    hashes = row_hashes(frame) / _SPAN
    mask: npt.NDArray[np.bool_] = hashes < share
    if int(mask.sum()) < MIN_HOLDOUT_ROWS:
        mask[np.argsort(hashes, kind="stable")[: min(MIN_HOLDOUT_ROWS, len(frame) // 2)]] = True
    labels = as_text(frame[target]) if not pd.api.types.is_float_dtype(frame[target]) else None
    if labels is not None:
        for rows in labels.groupby(labels).indices.values():
            if len(rows) > 1 and mask[rows].all():
                mask[rows[np.argsort(hashes[rows], kind="stable")[len(rows) // 2 :]]] = False
    return mask


def row_hashes(frame: pd.DataFrame) -> npt.NDArray[np.uint64]:
    """One hash per row; neither the order of rows and columns nor the storage type of a value matters."""
    canonical = {str(name): _canonical(frame[name]) for name in sorted(frame.columns, key=str)}
    hashed = pd.util.hash_pandas_object(pd.DataFrame(canonical), index=False)
    return hashed.to_numpy(dtype="uint64")


def _canonical(values: "pd.Series[Any]") -> "pd.Series[Any]":
    if pd.api.types.is_bool_dtype(values) or not pd.api.types.is_numeric_dtype(values):
        if pd.api.types.is_datetime64_any_dtype(values):
            return pd.to_datetime(values, utc=True).dt.tz_localize(None).astype("datetime64[us]")
        return as_text(values.infer_objects()).fillna("").astype(object)
    return values.astype("float64") + 0.0  # -0.0 becomes 0.0
