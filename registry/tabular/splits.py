"""Which rows are held out, by one of three rules that need no list of rows.

By content: a row's own hash decides (see ``holdout``). By group: the hash of one column's value decides, so
that all rows of a patient or a customer lie on one side. By time: rows from a stored moment on are held out.

Each rule says the same of a row in whatever dataset it stands. So rows that neither of two versions was
trained on can be found later: those that both versions' rules hold out.
"""

from typing import Any, Literal

import msgspec
import numpy as np
import numpy.typing as npt
import pandas as pd

from registry.tabular.coercion import read_dates
from registry.tabular.errors import SchemaMismatch, TooFewRows
from registry.tabular.holdout import HASH_RANGE, MIN_HOLDOUT_ROWS, canonical, holdout_mask

Mask = npt.NDArray[np.bool_]
HOLDOUT_SHARE = 0.2
MIN_GROUPS = 4
MOST_GROUPED = 0.5


class Split(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The rule: by ``content``, by the ``group`` in a column, or by the ``time`` in a column.

    ``share`` of the rows is held out, more than 0 and less than 1. ``cutoff`` is the first moment held out
    (ISO 8601, UTC); a split by time has it once it was made.
    """

    kind: Literal["content", "group", "time"] = "content"
    column: str | None = None
    cutoff: str | None = None
    share: float = HOLDOUT_SHARE


def settle(frame: pd.DataFrame, split: Split) -> Split:
    """The split with its cut-off, which the newest share of these rows decides; others are as they are.

    Raises:
        SchemaMismatch: the column is missing or holds no dates.
        TooFewRows: all rows are of one moment, or of too few groups.
    """
    if split.kind == "content":
        return split
    values = _column(frame, split)
    if split.kind == "group":
        if values.nunique() < MIN_GROUPS:
            raise TooFewRows(
                f"Column {split.column} has {values.nunique()} groups; at least {MIN_GROUPS} are needed to "
                "hold some out. Choose another column, or no groups."
            )
        return split
    moments = _moments(values, split)
    ordered = moments.dropna().sort_values()
    cutoff = ordered.iloc[int((1 - split.share) * len(ordered))]
    if cutoff == ordered.iloc[0]:
        raise TooFewRows(
            f"Most rows have the same {split.column}, so there is no newest part. Choose another."
        )
    return msgspec.structs.replace(split, cutoff=cutoff.isoformat())


def held_out(frame: pd.DataFrame, target: str, split: Split) -> Mask:
    """True for the n rows that the rule holds out; rows without the group's or the moment's value are not.

    Raises:
        SchemaMismatch: the column is missing or holds no dates.
        TooFewRows: fewer than two different rows, or nothing would be held out.
    """
    if split.kind == "content":
        return holdout_mask(frame, target, share=split.share)
    values = _column(frame, split)
    if split.kind == "time":
        newest: Mask = (_moments(values, split) >= pd.Timestamp(split.cutoff or "NaT")).to_numpy(dtype=bool)
        return newest
    hashes = pd.util.hash_pandas_object(canonical(values), index=False).to_numpy().astype("uint64")
    mask: Mask = (hashes < split.share * HASH_RANGE) & values.notna().to_numpy()
    if mask.sum() < MIN_HOLDOUT_ROWS or mask.mean() > max(MOST_GROUPED, 1.5 * split.share):
        # Of few groups chance puts none or most below the line: then the smallest hashes are taken.
        present = np.unique(hashes[values.notna().to_numpy()])
        smallest = present[: max(1, round(split.share * len(present)))]
        mask = np.isin(hashes, smallest) & values.notna().to_numpy()
    return mask


def arranged(frame: pd.DataFrame, split: Split) -> "pd.Series[Any] | None":
    """What folds keep together or in order: groups as text, or moments; None where rows are alike."""
    if split.kind == "content":
        return None
    values = _column(frame, split)
    if split.kind == "time":
        moments = _moments(values, split)
        return moments.fillna(moments.min())  # a row without a date counts as old
    # A row without a group is a group of its own.
    own = pd.Series([f"row {place}" for place in range(len(values))], index=values.index)
    return values.astype("object").where(values.notna(), own).astype("str")


def _column(frame: pd.DataFrame, split: Split) -> "pd.Series[Any]":
    if split.column not in frame.columns:
        raise SchemaMismatch(
            f"There is no column {split.column}, by which the rows are split. Name one of the dataset's."
        )
    return frame[split.column]


def _moments(values: "pd.Series[Any]", split: Split) -> "pd.Series[Any]":
    moments = read_dates(values) if not pd.api.types.is_numeric_dtype(values) else None
    if moments is None or moments.notna().sum() < 0.5 * len(values):
        raise SchemaMismatch(
            f"Column {split.column} holds no dates, so rows cannot be put in order by it. "
            "Choose a column of dates such as 2026-01-31."
        )
    return moments
