"""Counts of what was amiss with rows: what an hour's roll-up knows of data quality."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from monitoring.frames import AskedRows
from monitoring.statistics.distinct import joined, sketch_of
from monitoring.statistics.tallies import Tally, added
from registry.models import ModelVersion, Prediction
from registry.tabular.columns import NUMBER_TYPES, UNUSED_TYPES
from registry.tabular.schema import columns_from_json


def data_counts(version: ModelVersion, rows: Sequence[Prediction], asked: AskedRows) -> Tally:
    """Count values outside the training data's range, of another type, and rows that repeat.

    ``columns`` holds by column ``low`` and ``high`` (beyond the smallest and largest of the training data)
    and ``type`` (a number sent as text, or a fraction in a column of whole numbers). ``sketch`` tells how
    many different rows there were; ``first`` and ``last`` when rows came, in seconds.
    """
    moments = [row.created_at.timestamp() for row in rows]
    limits = version.dataset.profile.get("columns", {})
    columns: Tally = {}
    for column in columns_from_json(version.features):
        if column.type not in NUMBER_TYPES or column.name not in asked.features:
            continue
        values = asked.features[column.name].to_numpy(dtype="float64", na_value=np.nan)
        found = _beyond(values, limits.get(column.name, {}))
        mistyped = asked.mistyped.get(column.name)
        found["type"] = 0 if mistyped is None else int(mistyped.sum())
        kept = {name: count for name, count in found.items() if count}
        if kept:
            columns[column.name] = kept
    return {
        "columns": columns,
        "sketch": sketch_of(_hashes(version, asked.features)),
        "first": min(moments),
        "last": max(moments),
    }


def data_added(one: Mapping[str, Any], other: Mapping[str, Any]) -> Tally:
    """Return the counts of both."""
    if not one or not other:
        return dict(one or other)
    return {
        "columns": added(one["columns"], other["columns"]),
        "sketch": joined(one["sketch"], other["sketch"]),
        "first": min(one["first"], other["first"]),
        "last": max(one["last"], other["last"]),
    }


def _beyond(values: Any, limits: Mapping[str, Any]) -> dict[str, int]:
    low, high = limits.get("min"), limits.get("max")
    if not isinstance(low, (int, float)) or not isinstance(high, (int, float)):
        return {}
    with np.errstate(invalid="ignore"):
        return {"low": int((values < low).sum()), "high": int((values > high).sum())}


def _hashes(version: ModelVersion, features: pd.DataFrame) -> Any:
    unused = {column.name for column in columns_from_json(version.features) if column.type in UNUSED_TYPES}
    used = features[[name for name in features if name not in unused]]
    if not used.shape[1]:
        return np.zeros(0, dtype="uint64")
    return pd.util.hash_pandas_object(used, index=False).to_numpy(dtype="uint64")
