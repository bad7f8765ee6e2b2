"""Counts of what was amiss with rows: what an hour's roll-up knows of data quality."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from monitoring.frames import AskedRows
from monitoring.logged import Answers
from monitoring.statistics.distinct import joined, sketch_of
from monitoring.statistics.grouping import Groups
from monitoring.statistics.tallies import Tally, added
from registry.models import ModelVersion
from registry.tabular.columns import NUMBER_TYPES, UNUSED_TYPES
from registry.tabular.schema import columns_from_json


def data_counts(version: ModelVersion, answers: Answers, asked: AskedRows, groups: Groups) -> list[Tally]:
    """Count each group's values outside the training data's range, of another type, and rows that repeat.

    ``columns`` holds by column ``low`` and ``high`` (beyond the smallest and largest of the training data)
    and ``type`` (a number sent as text, or a fraction in a column of whole numbers). ``sketch`` tells how
    many different rows there were; ``first`` and ``last`` when rows came, in seconds.
    """
    moments = np.array([moment.timestamp() for moment in answers.created_at])
    hashes = _hashes(version, asked.features)
    counted: list[Tally] = [
        {
            "columns": {},
            "sketch": [] if hashes is None else sketch_of(hashes[places]),
            "first": float(moments[places].min()),
            "last": float(moments[places].max()),
        }
        for places in groups.members
    ]
    for name, kind, amiss in _amiss(version, asked):
        for one, count in zip(counted, groups.count(amiss).tolist(), strict=True):
            if count:
                one["columns"].setdefault(name, {})[kind] = count
    return counted


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


def _amiss(version: ModelVersion, asked: AskedRows) -> Iterator[tuple[str, str, npt.NDArray[np.bool_]]]:
    """Yield the columns and what may be amiss with them, with the rows of which it is true."""
    limits = version.dataset.profile.get("columns", {})
    for column in columns_from_json(version.features):
        if column.type not in NUMBER_TYPES or column.name not in asked.features:
            continue
        values = asked.features[column.name].to_numpy(dtype="float64", na_value=np.nan)
        known = limits.get(column.name, {})
        low, high = known.get("min"), known.get("max")
        if isinstance(low, (int, float)) and isinstance(high, (int, float)):
            with np.errstate(invalid="ignore"):
                yield column.name, "low", values < low
                yield column.name, "high", values > high
        if column.name in asked.mistyped:
            yield column.name, "type", asked.mistyped[column.name]


def _hashes(version: ModelVersion, features: pd.DataFrame) -> Any:
    unused = {column.name for column in columns_from_json(version.features) if column.type in UNUSED_TYPES}
    used = features[[name for name in features if name not in unused]]
    if not used.shape[1]:
        return None
    return pd.util.hash_pandas_object(used, index=False).to_numpy(dtype="uint64")
